"""The mapped gates compute what the Verilog says."""

import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis import mapping
from kakure.hdl.synthesis.flow import map_modules
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.netlist import Netlist
from kakure.model.errors import Damaged, UserError

CELLS = library()


def evaluate(netlist: Netlist, inputs: dict[str, int]) -> dict[str, int]:
    """Outputs of a combinational netlist, by the functions that the library states."""
    values = {-1: 0}
    for name, port in netlist.ports.items():
        if port.direction == "input":
            values |= {net: inputs[name] >> i & 1 for i, net in enumerate(port.bits)}
    waiting = list(netlist.instances)
    while waiting:
        left = []
        for instance in waiting:
            pins = CELLS.cells[instance.kind].pins
            nets = {pin: bits[0] for pin, bits in instance.pins.items() if bits}
            ins = {p: net for p, net in nets.items() if pins[p].direction == "input"}
            if any(net not in values for net in ins.values()):
                left.append(instance)
                continue
            for pin, net in nets.items():
                function = pins[pin].function
                if pins[pin].direction == "output" and function is not None:
                    known = {p: bool(values[n]) for p, n in ins.items()}
                    text = re.sub(r"!", " not ", function)
                    text = text.replace("&", " and ").replace("|", " or ").replace("^", " != ")
                    values[net] = int(eval(text, {}, known))
        assert len(left) < len(waiting)
        waiting = left
    return {
        name: sum(values[net] << i for i, net in enumerate(port.bits))
        for name, port in netlist.ports.items()
        if port.direction == "output"
    }


def mapped(name: str, text: str, cache: Path) -> Netlist:
    design = Design(name, {name: ModuleSource(name, "test", text)})
    return map_modules(design, cache=cache)[name].netlist


@pytest.mark.parametrize("width", [3, 15, 24])
def test_a_count_of_ones(width, tmp_path):
    ones = " + ".join(f"x[{i}]" for i in range(width))
    text = f"module count(input [{width - 1}:0] x, output [5:0] y); assign y = {ones}; endmodule"
    netlist = mapped("count", text, tmp_path)
    assert netlist.kinds["FA_X1"] > 0
    draw = random.Random(width)
    for x in [0, 2**width - 1, *(draw.getrandbits(width) for _ in range(100))]:
        assert evaluate(netlist, {"x": x}) == {"y": x.bit_count()}


def test_a_signed_multiply_and_add(tmp_path):
    text = (
        "module mac(input signed [5:0] a, input signed [4:0] b, input signed [10:0] c, "
        "output signed [11:0] y); assign y = a * b + c; endmodule"
    )
    netlist = mapped("mac", text, tmp_path)
    draw = random.Random(1)
    for _ in range(200):
        a, b, c = draw.randrange(-32, 32), draw.randrange(-16, 16), draw.randrange(-1024, 1024)
        y = evaluate(netlist, {"a": a & 63, "b": b & 31, "c": c & 2047})["y"]
        assert y == (a * b + c) & 4095


def test_choices_and_constants(tmp_path):
    text = (
        "module pick(input [7:0] a, input [2:0] s, output [7:0] y, output [3:0] k);"
        " assign y = s[2] ? a >> s[1:0] : a + 8'd77; assign k = 4'b1010; endmodule"
    )
    netlist = mapped("pick", text, tmp_path)
    for a in range(0, 256, 7):
        for s in range(8):
            y = a >> (s & 3) if s & 4 else (a + 77) & 255
            assert evaluate(netlist, {"a": a, "s": s}) == {"y": y, "k": 10}


def test_a_netlist_survives_the_cache(tmp_path):
    netlist = mapped(
        "inverse", "module inverse(input a, output y); assign y = ~a; endmodule", tmp_path
    )
    assert Netlist.from_dict(netlist.to_dict()) == netlist


INVERSE = "module inverse(input a, output y); assign y = ~a; endmodule"


def entry_of(cache: Path) -> Path:
    (entry,) = cache.glob("*.json")
    return entry


def test_no_flipped_byte_of_an_entry_is_used(tmp_path, capsys):
    mapped("inverse", INVERSE, tmp_path)
    entry = entry_of(tmp_path)
    whole = entry.read_bytes()
    draw = random.Random(1)
    places = [0, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(200))]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= draw.randrange(1, 256)
        entry.write_bytes(damaged)
        with pytest.raises(Damaged, match="is damaged: its checksum does not match"):
            mapping._read(entry, entry.stem)
    for content in (whole[:-1] + b" ", whole[:100], b"", b"[]", b"\xff" * 200):
        entry.write_bytes(content)
        capsys.readouterr()
        assert mapped("inverse", INVERSE, tmp_path).kinds == {"INV_X1": 1}
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{entry}: is damaged") and line.endswith("inverse is mapped anew")
        assert mapped("inverse", INVERSE, tmp_path).kinds == {"INV_X1": 1}
        assert capsys.readouterr().err == ""


def test_an_entry_under_another_name_is_not_used(tmp_path, capsys):
    mapped("inverse", INVERSE, tmp_path)
    other = entry_of(tmp_path).read_bytes()
    text = "module both(input a, b, output y); assign y = a & b; endmodule"
    kinds = mapped("both", text, tmp_path / "other").kinds
    entry_of(tmp_path / "other").write_bytes(other)
    assert mapped("both", text, tmp_path / "other").kinds == kinds
    assert "is of another module" in capsys.readouterr().err


def test_a_damaged_library_in_the_cache_is_written_anew(tmp_path):
    mapped("inverse", INVERSE, tmp_path)
    (cells,) = tmp_path.glob("cells-*.lib")
    whole = cells.read_bytes()
    cells.write_bytes(whole.replace(b"area", b"arfa", 1))
    entry_of(tmp_path).unlink()
    assert mapped("inverse", INVERSE, tmp_path).kinds == {"INV_X1": 1}
    assert cells.read_bytes() == whole


def test_an_entry_of_other_sources_is_not_used(tmp_path, monkeypatch):
    mapped("inverse", INVERSE, tmp_path)
    monkeypatch.setattr(mapping, "sources", lambda *names: "others")
    mapped("inverse", INVERSE, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2


@pytest.mark.parametrize("kind", ["file", "loop", "folder"])
def test_a_place_that_is_no_cache_is_said_in_one_line(tmp_path, kind):
    cache = tmp_path / "cache"
    if kind == "file":
        cache.write_text("")
    elif kind == "loop":
        cache.symlink_to(cache)
    else:
        mapped("inverse", INVERSE, cache)
        entry_of(cache).unlink()
        (cache / f"{hashes(cache)}.json").mkdir()
    with pytest.raises(UserError, match=r"cannot be (made and )?written: .*") as error:
        mapped("inverse", INVERSE, cache)
    assert "\n" not in str(error.value)


def hashes(cache: Path) -> str:
    """Name of the entry that was there."""
    mapped("inverse", INVERSE, cache)
    entry = entry_of(cache)
    entry.unlink()
    return entry.stem


KILLED = """
import sys
from pathlib import Path
from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis.flow import map_modules
text = "module wide(input [31:0] a, b, output [63:0] y); assign y = a * b; endmodule"
map_modules(Design("wide", {"wide": ModuleSource("wide", "test", text)}), cache=Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_run_leaves_no_process_and_the_next_removes_its_folder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not yosys_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert yosys_in(tmp_path)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while yosys_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not yosys_in(tmp_path)
    assert len(list(tmp_path.glob("work.*"))) == 1
    mapped("inverse", INVERSE, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".lib"}


def yosys_in(cache: Path) -> list[str]:
    """Command lines of the processes that work in a folder of the cache."""
    names = [f"{path.name}/" for path in cache.glob("work.*")]
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        found += [text for name in names if name in text]
    return found
