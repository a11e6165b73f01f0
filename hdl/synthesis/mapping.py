"""Mapping one Verilog module to 45 nm cells: the Yosys script, run once and kept in a cache."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.model.errors import Damaged, UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import read_sealed, sealed
from kakure.model.files.work_folder import fresh_folder
from kakure.model.provenance import Provenance, sources

from .black_box import black_box
from .liberty import Library
from .netlist import Netlist
from .yosys import Engine

__all__ = ["SCRIPT", "MappedModule", "Mapper"]

CLOCK_PERIOD_PS = 1000
CONSTRAINTS = "set_driving_cell INV_X2\nset_load 7\n"
ADDERS = Path(__file__).with_name("fa_map.v")

_NOT_USED = ("ANTENNA*", "FILL*", "LOGIC*", "TBUF*", "TINV*", "TLAT*", "CLK*", "SDFF*")
_SIZING = "buffer,-N,16;upsize,{D};dnsize,{D}"
_ABC = {
    "adders": f"strash;&get,-n;&st;&syn3;&syn4;&st;&dch,-f;&nf,{{D}};&put;{_SIZING}",
    "gates": f"strash;ifraig;scorr;dc2;strash;dch,-f;amap,-m;{_SIZING}",
}
"""ABC's scripts. It replaces {D} only in scripts that stand in the command itself."""

_READ = "read_verilog -sv -noassert -noassume -nodisplay"


def _mapped(candidate: str) -> list[str]:
    """Write the part of the script that maps what is loaded, and writes the netlist."""
    unused = " ".join(f"-dont_use {pattern}" for pattern in _NOT_USED)
    abc = f"abc -liberty $LIBRARY {unused} -constr $CONSTRAINTS -D {CLOCK_PERIOD_PS}"
    return [
        "dfflibmap -dont_use SDFF* -liberty $LIBRARY",
        f"{abc} -script +{_ABC[candidate]}",
        "opt_clean -purge",
        "setundef -zero",
        "hilomap -singleton -hicell LOGIC1_X1 Z -locell LOGIC0_X1 Z",
        "opt_clean -purge",
        "select -module $TOP",
        f"write_json -selected $FOLDER/{candidate}.json",
        "select -clear",
    ]


SCRIPT = "\n".join([
    "read_liberty -lib -ignore_miss_func $LIBRARY",
    f"{_READ} $CHILDREN",
    f"{_READ} $SOURCE",
    "synth -flatten -noabc -booth -top $TOP",
    "setattr -unset init w:*",
    "clockgate -liberty $LIBRARY -dont_use CLKGATETST* -min_net_size 8",
    "design -save start",
    *_mapped("gates"),
    "design -load start",
    "extract_fa -fa",
    "techmap -map $ADDERS",
    "techmap",
    "opt -fast",
    *_mapped("adders"),
    "",
])
"""The script, with $NAME for what depends on the run."""

CANDIDATES = tuple(_ABC)


@dataclass(frozen=True)
class MappedModule:
    """A mapped module, which candidate of the script it is, and what it took.

    ``seconds`` is the time that the synthesis took when it ran, also where it comes from the cache.
    """

    netlist: Netlist
    candidate: str
    seconds: float
    is_cached: bool


class Mapper:
    """Maps modules, each with its children as black boxes, and remembers the results.

    The script maps a module twice: ``adders`` finds full adders, makes them FA_X1 cells and
    resynthesizes the rest; ``gates`` covers everything with the least area of gates. The one of
    less area is kept, ``adders`` where they are equal.

    Parameters
    ----------
    engine : Engine
        The Yosys to run.
    library : Library
        The cells.
    cache : Path
        Folder of the results: a file per module, named by a hash of all that it depends on,
        written under another name and renamed, so that a stopped run leaves only whole files. One
        whose checksum does not match is named on stderr, and made anew.

    Raises
    ------
    UserError
        If the folder cannot be made or written.
    """

    def __init__(self, engine: Engine, library: Library, cache: Path) -> None:
        self.engine = engine
        self.library = library
        self.cache = cache
        self._cells = f"cells-{library.sha256[:16]}.lib"
        cells = library.path.read_bytes()
        try:
            cache.mkdir(parents=True, exist_ok=True)
            if not (cache / self._cells).is_file() or (cache / self._cells).read_bytes() != cells:
                write_atomically(cache / self._cells, cells)
        except OSError as error:
            raise UserError(f"cannot be made and written: {error.strerror}", file=cache) from None

    def map(self, design: Design, module: ModuleSource) -> MappedModule:
        """Map a module of a design, or take it from the cache.

        Raises
        ------
        UserError
            If Yosys refuses the module, or leaves something that has no cell; if the result cannot
            be written.
        """
        names = sorted(set(module.instances.values()))
        children = "".join(black_box(design.modules[name].verilog) for name in names)
        facts = {
            "adders": ADDERS.read_text(encoding="utf-8"),
            "children": children,
            "constraints": CONSTRAINTS,
            "library": self.library.sha256,
            "module": module.name,
            "script": SCRIPT,
            "sources": sources(__name__),
            "verilog": module.verilog,
            "yosys": self.engine.version,
        }
        key = Provenance("mapped module", facts).digest
        entry = self.cache / f"{key}.json"
        if entry.exists():
            try:
                return _read(entry, key)
            except Damaged as error:
                print(f"{error}: module {module.name} is mapped anew", file=sys.stderr, flush=True)
        self.engine.prepare()
        start = time.perf_counter()
        netlist, candidate = self._run(module, children, set(names))
        seconds = round(time.perf_counter() - start, 3)
        kept = {
            "key": key,
            "netlist": netlist.to_dict(),
            "candidate": candidate,
            "seconds": seconds,
        }
        try:
            write_atomically(entry, sealed(json.dumps(kept, separators=(",", ":")).encode()))
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=entry) from None
        return MappedModule(netlist, candidate, seconds, False)

    def _run(self, module: ModuleSource, children: str, names: set[str]) -> tuple[Netlist, str]:
        with fresh_folder(self.cache, "work.") as folder:
            return self._mapped(folder, module, children, names)

    def _mapped(
        self, folder: Path, module: ModuleSource, children: str, names: set[str]
    ) -> tuple[Netlist, str]:
        inside = folder.relative_to(self.cache)
        (folder / "children.v").write_text(children, encoding="utf-8")
        (folder / "source.v").write_text(module.verilog, encoding="utf-8")
        (folder / "adders.v").write_text(ADDERS.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "constraints").write_text(CONSTRAINTS, encoding="utf-8")
        script = SCRIPT.replace("$TOP", module.name)
        script = script.replace("$LIBRARY", self.engine.path(self._cells))
        script = script.replace("$FOLDER", self.engine.path(str(inside)))
        for word, name in (
            ("$CHILDREN", "children.v"),
            ("$SOURCE", "source.v"),
            ("$ADDERS", "adders.v"),
            ("$CONSTRAINTS", "constraints"),
        ):
            script = script.replace(word, self.engine.path(f"{inside}/{name}"))
        (folder / "script.ys").write_text(script, encoding="utf-8")
        self.engine.run(f"{inside}/script.ys", self.cache, log=self.cache / f"{module.name}.log")
        netlists = [
            (
                Netlist.read(
                    (folder / f"{candidate}.json").read_text(encoding="utf-8"), module.name
                ),
                candidate,
            )
            for candidate in CANDIDATES
        ]
        netlist, candidate = min(netlists, key=lambda pair: pair[0].area(self.library))
        strange = set(netlist.kinds) - set(self.library.cells) - names
        if strange:
            raise UserError(f"module {module.name}: no 45 nm cell for {', '.join(sorted(strange))}")
        return netlist, candidate


def _read(entry: Path, key: str) -> MappedModule:
    kept = json.loads(read_sealed(entry))
    if kept["key"] != key:
        raise Damaged("is damaged: it is of another module", file=entry)
    return MappedModule(
        Netlist.from_dict(kept["netlist"]), kept["candidate"], kept["seconds"], True
    )
