"""Look-up tables of a dot product of bits on an FPGA: our element against BISMO's unit.

Both are synthesized for Xilinx' six-input tables by the same Yosys, with ABC9 and with ABC, BISMO's
unit with our adder tree and with a plain sum; the least counts.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.temporal.excess_counter import ExcessCounter
from kakure.hdl.accelerators.temporal.horner_element import HornerElement
from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.emission.emit import emit
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.synthesis.yosys import Engine, find_engine
from kakure.model.commands.command import whole
from kakure.model.errors import UserError

__all__ = ["DotProductUnit", "luts", "options", "run", "table"]

BUILD = Path("build") / "dot-product"
"""For logs of what fails."""

LANES = (64, 128, 256)
SHIFT_BITS = 5
SUM_BITS = 32
FLAGS = ("-abc9", "")

count = whole(1, 4096)
"""What synthesis ends with in minutes."""


class DotProductUnit(wiring.Component):
    """BISMO's unit: AND, count, shift by the planes' weights, negate, add up.

    Parameters
    ----------
    lanes : int, at least 1
        Products of one bit in a cycle.
    is_summed : bool
        The bits are counted by a plain sum instead of :class:`Popcount`.

    Members
    -------
    left, right : ``In(lanes)``
        A plane of each side.
    shift, negate : In
        What the count is shifted by; whether it is subtracted.
    clears, step : ``In(1)``
        It is the first; it counts.
    o : ``Out(signed(32))``
        The sum so far.

    Source
    ------
    Umuroglu et al., *BISMO*, FPL 2018, arXiv:1806.08862, section III-C.
    """

    left: Signal
    right: Signal
    shift: Signal
    negate: Signal
    clears: Signal
    step: Signal
    o: Signal

    def __init__(self, *, lanes: int, is_summed: bool = False) -> None:
        self.lanes = lanes
        self.is_summed = is_summed
        super().__init__({
            "left": In(lanes),
            "right": In(lanes),
            "shift": In(SHIFT_BITS),
            "negate": In(1),
            "clears": In(1),
            "step": In(1),
            "o": Out(signed(SUM_BITS)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        both = Signal(self.lanes)
        m.d.comb += both.eq(self.left & self.right)
        shifted = Signal(signed(SUM_BITS))
        m.d.comb += shifted.eq(self._count(m, platform, both) << self.shift)
        total = Signal(signed(SUM_BITS), reset_less=True)
        with m.If(self.step):
            value = Mux(self.negate, -shifted, shifted)
            m.d.sync += total.eq(Mux(self.clears, 0, total) + value)
        m.d.comb += self.o.eq(total)
        return m

    def _count(self, m: Module, platform: Platform | None, bits: Signal) -> Value:
        if self.is_summed:
            count = Signal(range(self.lanes + 1))
            m.d.comb += count.eq(sum(bits[n] for n in range(self.lanes)))
            return count
        tree = Popcount(lanes=self.lanes)
        m.submodules.count = place(tree, platform)
        m.d.comb += tree.i.eq(bits)
        return tree.o


def luts(component: wiring.Component, flags: str, engine: Engine) -> int:
    """Six-input tables of a component, of any number of inputs; carries are not counted."""
    design = emit(component, "top")
    with TemporaryDirectory() as name:
        folder = Path(name)
        text = "\n".join(module.verilog for module in design.modules.values())
        (folder / "source.v").write_text(text, encoding="utf-8")
        lines = [
            f"read_verilog -sv {engine.path('source.v')}",
            f"synth_xilinx -flatten -top {design.top} {flags}",
            f"tee -o {engine.path('cells.json')} stat -json",
        ]
        (folder / "script").write_text("\n".join(lines) + "\n", encoding="utf-8")
        BUILD.mkdir(parents=True, exist_ok=True)
        engine.run("script", folder, log=BUILD / f"{type(component).__name__}{flags}.log")
        cells = json.loads((folder / "cells.json").read_text(encoding="utf-8"))["design"][
            "num_cells_by_type"
        ]
    return sum(many for kind, many in cells.items() if kind.startswith("LUT"))


def least(components: Callable[[], Iterable[wiring.Component]], engine: Engine) -> int:
    """The least of all choices."""
    return min(luts(one, flags, engine) for flags in FLAGS for one in components())


def table(lanes: tuple[int, ...], pixels: int, many: int, engine: Engine) -> str:
    """Both side by side, in Markdown."""
    names = (
        "lanes",
        "BISMO's unit, {0, 1} weights",
        "our element, {−1, 0, +1} weights",
        f"its share of what counts negative ones, {pixels} positions",
        "ours / BISMO's",
    )
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for k in lanes:
        try:
            theirs = least(
                lambda k=k: (DotProductUnit(lanes=k, is_summed=way) for way in (False, True)),
                engine,
            )
            ours = least(lambda k=k: [HornerElement(inputs=k)], engine)
            shared = least(lambda k=k: [ExcessCounter(inputs=k, many=many)], engine) / pixels
        except UserError as error:
            raise error.within(f"--lanes {k}") from None
        ratio = (ours + shared) / theirs
        lines.append(f"| {k} | {theirs} | {ours} | {shared:.1f} | **{ratio:.2f}** |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add(
        "--lanes",
        type=count,
        nargs="+",
        default=list(LANES),
        help="products in a cycle (64 128 256)",
    )
    add("--pixels", type=count, default=2, help="elements with the same weights (2)")
    add("--rows", type=count, default=8, help="weights made in a cycle (8)")


def run(args: argparse.Namespace) -> None:
    """Synthesize both, and print the table."""
    engine = find_engine()
    print(table(tuple(args.lanes), args.pixels, args.rows, engine))
    print(f"{engine.version}, synth_xilinx")
