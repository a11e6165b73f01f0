"""Bitstreams: synthesis, placement and routing of an accelerator on a board, by open tools."""

import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kakure.hdl.emission.artifacts import replaced_folder
from kakure.model.commands.lifetime import tied
from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .board_top import PLL, BoardTop
from .targets import Target

__all__ = ["Built", "build", "report_of"]

TOP = "top"
TOOLS = {"YOSYS": "yosys", "NEXTPNR_ECP5": "nextpnr-ecp5", "ECPPACK": "ecppack"}
"""Programs by the variables that name them to Amaranth."""

STAGES = {
    "synthesis": f"{TOP}.json",
    "placement and routing": f"{TOP}.config",
    "bitstream": f"{TOP}.bit",
}
"""What is made, and the file that it ends with."""

USED = re.compile(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%")
FASTEST = re.compile(r"Info: Max frequency for clock\s+'([^']*)': ([0-9.]+) MHz")


@dataclass(frozen=True)
class Built:
    """What became of a design on a board.

    Attributes
    ----------
    folder : Path
        With ``top.bit``, and ``timing.txt``: what nextpnr said.
    mhz : float
        The fastest clock, as routed.
    used : dict
        Cells of each kind that are used, and that there are.
    seconds : float
    """

    folder: Path
    mhz: float
    used: dict[str, tuple[int, int]]
    seconds: float


def report_of(text: str) -> tuple[float | None, dict[str, tuple[int, int]]]:
    """The fastest clock after routing [MHz], and the used cells, out of what nextpnr wrote."""
    used = {name: (int(some), int(all_)) for name, some, all_ in USED.findall(text)}
    clocks = {name: float(mhz) for name, mhz in FASTEST.findall(text)}  # the last one counts
    return min(clocks.values(), default=None), used


def build(
    config: Config,
    target: Target,
    folder: Path,
    *,
    mhz: float,
    baud: int,
    tell: Callable[[str], None],
) -> Built:
    """Make the bitstream of an accelerator behind a UART.

    Parameters
    ----------
    folder : Path
        Of the results; what was there before stays until they are whole.
    mhz, baud : float, int
        Clock of the accelerator, and of the line.
    tell : function
        Is told what begins.

    Raises
    ------
    UserError
        If the design does not fit, or is not as fast as asked; if a tool is missing, or fails.
    """
    tools = {name: _program(program) for name, program in TOOLS.items()}
    has_pll = mhz != target.clock_mhz
    begin = time.monotonic()
    with replaced_folder(folder) as new:
        platform = target.make()
        if has_pll:
            platform.add_file(f"{PLL}.v", _pll(target.clock_mhz, mhz, new))
        top = BoardTop(config, mhz=mhz, baud=baud, has_pll=has_pll)
        with _named(tools):
            plan = platform.prepare(top, name=TOP, nextpnr_opts="--timing-allow-fail")
        plan.extract(str(new))
        _run(new, tools, tell)
        log = new / f"{TOP}.tim"
        fastest, used = report_of(log.read_text(encoding="utf-8") if log.exists() else "")
        short = {name: cells for name, cells in used.items() if cells[0] > cells[1]}
        if short:
            needs = " and ".join(f"{some} {name}" for name, (some, _) in short.items())
            has = " and ".join(str(all_) for _, all_ in short.values())
            raise UserError(
                f"must have {needs}", where=("--board",), value=f"{has} ({target.name})"
            )
        if fastest is None or not (new / f"{TOP}.bit").exists():
            raise UserError(f"{target.name}: the tools must make a bitstream: {_end(new)}")
        if fastest < mhz:
            raise UserError(
                f"must be at most {math.floor(fastest * 10) / 10:g}, what was routed",
                where=("--mhz",),
                value=f"{mhz:g}",
            )
        log.rename(new / "timing.txt")
    return Built(folder, fastest, used, time.monotonic() - begin)


def _run(folder: Path, tools: dict[str, str], tell: Callable[[str], None]) -> None:
    """Run the tools; which of them failed is seen by what is missing."""
    environment = os.environ | tools | {"AMARANTH_ENV_TRELLIS": ""}
    with (folder / "tools.log").open("wb") as log:
        process = subprocess.Popen(
            tied(["sh", f"build_{TOP}.sh"]),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            for stage, file in STAGES.items():
                tell(stage)
                while process.poll() is None and not (folder / file).exists():
                    time.sleep(0.1)
            process.wait()
        finally:
            process.kill()
            process.wait()


def _end(folder: Path) -> str:
    """The last thing that the tools said."""
    lines = (folder / "tools.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "they said nothing")


def _program(name: str) -> str:
    """Where a tool is: a wheel's beside this Python, or one on the path."""
    for one in (f"yowasp-{name}", name):
        beside = Path(sys.executable).with_name(one)
        if beside.exists():
            return str(beside)
        found = shutil.which(one)
        if found is not None:
            return found
    raise UserError(f"{name} must be installed: make board, or pip install 'kakure[board]'")


def _pll(clock_mhz: float, mhz: float, folder: Path) -> str:
    """Verilog of a PLL; UserError if none makes that clock."""
    path = folder / f"{PLL}.v"
    command = [_program("ecppll"), "-i", f"{clock_mhz:g}", "-o", f"{mhz:g}", "-n", PLL]
    done = subprocess.run(
        [*command, "-f", path.name],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0 or not path.exists():
        raise UserError(
            f"must be a clock that a PLL makes of {clock_mhz:g} MHz",
            where=("--mhz",),
            value=f"{mhz:g}",
        )
    text = path.read_text(encoding="utf-8")
    path.unlink()
    return text


@contextmanager
def _named(tools: dict[str, str]) -> Iterator[None]:
    """Name the tools to Amaranth, and a loader, which it asks for and does not need."""
    names = tools | {"OPENFPGALOADER": "true"}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
