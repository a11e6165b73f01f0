"""Files of a generated accelerator: Verilog, supermask image, register map."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.c_header import c_header
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import IDENTITY, MAP_VERSION, constant_values
from kakure.hdl.bus.register_page import markdown
from kakure.hdl.bus.system_rdl import system_rdl
from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.files.work_folder import held
from kakure.model.parameters.parameters import Parameters

from .design import Design
from .emit import emit

__all__ = [
    "BUILD",
    "build_folder",
    "design_of",
    "locked_folder",
    "replaced_folder",
    "require_hardware",
    "top_name",
    "write_design",
]

BUS = Path(__file__).parent.parent / "bus"
DRIVER = ("kakure_driver.h", "kakure_driver.c")
"""In C, for processors beside an accelerator; the same files for every network."""

BUILD = Path("build")
"""Everything generated, under the folder that a command runs in."""


def top_name(config: Config) -> str:
    """Name of the top module: ``accelerator_`` and the name of the configuration, or the chip.

    Configurations of different names have tops of different names: a dot or a hyphen, which
    Verilog does not allow, becomes ``_``, and six digits of the name's SHA-256 follow. Every other
    module has the same text wherever it has the same name. So several accelerators fit into one
    design, if their configurations do not have the same name.
    """
    return f"accelerator_{_identifier(architecture_of(config).name)}"


def _identifier(given: str) -> str:
    """A name that languages allow; other ones for other names."""
    name = re.sub(r"\W", "_", given, flags=re.ASCII)
    return name if name == given else f"{name}_{hashlib.sha256(given.encode()).hexdigest()[:6]}"


def build_folder(config: Config) -> Path:
    """Where everything generated from a configuration lies."""
    return BUILD / config.digest[:16]


def require_hardware(config: Config, source: str) -> None:
    """Refuse a configuration that cannot become an accelerator.

    Raises
    ------
    UserError
        If its weights are not made on chip, or a layer is too wide; the line names ``source``.
    """
    try:
        architecture_of(config).check()
    except UserError as error:
        raise error.of(source) from None


def design_of(config: Config, source: str) -> Design:
    """Emit the accelerator of a configuration; raises as :func:`require_hardware`."""
    require_hardware(config, source)
    return emit(Accelerator(config=config), top_name(config))


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep :func:`replaced_folder` from replacing ``folder``; wait, and say so, while it does."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held(folder.with_name(f".{folder.name}.lock"), f"it writes {folder}"):
        yield


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``folder`` if all goes well, and not else.

    One process at a time: another one waits. What a killed one left behind is removed.
    """
    new = folder.with_name(f".{folder.name}.new")
    old = folder.with_name(f".{folder.name}.old")
    with locked_folder(folder):
        if old.exists() and not folder.exists():
            old.rename(folder)  # killed between the two renames below
        for stale in (new, old):
            shutil.rmtree(stale, ignore_errors=True)
        new.mkdir()
        try:
            yield new
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        finally:
            if old.exists() and not folder.exists():
                old.rename(folder)
            for stale in (new, old):
                shutil.rmtree(stale, ignore_errors=True)


def write_design(folder: Path, config: Config, design: Design, parameters: Parameters) -> None:
    """Write what describes the hardware into ``folder``.

    ``verilog/``: a file per distinct module, and ``files.txt``, children first, the top last.
    ``supermask.hex``: the words that load the network, one a line, for ``$readmemh``;
    ``supermask.bin``: the same, least significant byte first. ``registers.md``, ``kakure.h``,
    ``kakure.rdl``: the register map; what in the header is of this network has its name, so that
    a program may include several. ``kakure_driver.h``, ``kakure_driver.c``: a driver in C, the
    same of every network. ``config.json``: the configuration, complete.
    """
    verilog = folder / "verilog"
    verilog.mkdir()
    for module in design.modules.values():
        (verilog / f"{module.name}.v").write_text(module.verilog, encoding="utf-8")
    (verilog / "files.txt").write_text(
        "".join(f"{name}.v\n" for name in design.modules), encoding="utf-8"
    )
    words = [word for section in architecture_of(config).sections(parameters) for word in section]
    (folder / "supermask.hex").write_text(
        "".join(f"{word:08x}\n" for word in words), encoding="utf-8"
    )
    (folder / "supermask.bin").write_bytes(b"".join(word.to_bytes(4, "little") for word in words))
    title = f"Registers of {config.name}"
    registers = architecture_of(config).registers
    (folder / "registers.md").write_text(markdown(registers, title), encoding="utf-8")
    height, width, channels = config.shape
    name = _identifier(config.name)
    constants = {
        f"{name}_CONFIG_DIGEST": f'"{architecture_of(config).digest}"',
        f"{name}_SUPERMASK_WORDS": f"{len(words)}u",
        f"{name}_IMAGE_BYTES": f"{height * width * channels}u",
        f"{name}_CLASSES": f"{config.geometry[-1].outputs}u",
        "IDENTITY": f"0x{IDENTITY:08X}u",
        "VERSION": f"{MAP_VERSION}u",
        **{f"ERROR_CODE_{error.name}": f"{error.value}u" for error in ErrorCode},
    }
    guard = f"KAKURE_{name}_H"
    (folder / "kakure.h").write_text(c_header(registers, guard, constants), encoding="utf-8")
    for name in DRIVER:
        shutil.copy(BUS / name, folder)
    never_change = constant_values(architecture_of(config).digest)
    rdl = system_rdl(registers, design.top, title, never_change)
    (folder / "kakure.rdl").write_text(rdl, encoding="utf-8")
    (folder / "config.json").write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
