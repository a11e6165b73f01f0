# amaranth: UnusedElaboratable=no
"""Formal proofs hold, and a block that breaks what is claimed of it is found out."""

from typing import Any

import pytest
from amaranth.hdl import Assert, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram
from kakure.model.errors import UserError
from kakure.search.commands.kakure import main
from kakure.sim.formal import prove as prover
from kakure.sim.formal.proofs import PROOFS, Proof
from kakure.sim.formal.prove import Result, prove

BOUNDED = {
    "excess_counter", "sign_generator", "sliding_window", "strided_window", "max_pool",
    "requantizer", "requantizer_with_shortcut", "shortcut", "logit_sender", "memory_tile_flash",
    "memory_tile_sar",
}  # fmt: skip
"""Claims that do not follow from themselves: they hold for some cycles from reset."""


LONG = {"memory_tile_sar"}
"""Proofs that take a minute."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.full] * (n in LONG)) for n in PROOFS]
)
def test_what_is_claimed_holds(name, tmp_path):
    assert prove(name, PROOFS[name], tmp_path) == Result(True, name not in BOUNDED)


class Fickle(wiring.Component):
    """Offers what it is given every second cycle only; or offers something else each time."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, changes: bool) -> None:
        self.changes = changes
        super().__init__({"i": In(stream.Signature(4)), "o": Out(stream.Signature(4))})

    def elaborate(self, platform) -> Module:
        m = Module()
        turn = Signal()
        m.d.sync += turn.eq(~turn)
        m.d.comb += [
            self.o.valid.eq(self.i.valid & (turn | self.changes)),
            self.o.payload.eq(self.i.payload ^ (turn & self.changes)),
            self.i.ready.eq(self.o.ready & self.o.valid),
        ]
        return m


@pytest.mark.parametrize("changes", [False, True])
def test_a_fickle_stream_is_found_out(changes, tmp_path):
    found = prove("fickle", Proof("", lambda: Fickle(changes=changes)), tmp_path)
    assert found == Result(False, False, tmp_path / "fickle.vcd")
    assert (tmp_path / "fickle.vcd").read_text().startswith("$")
    assert [path.name for path in tmp_path.iterdir()] == ["fickle.vcd"]


def test_a_wrong_count_is_found_out(tmp_path):
    def wrong(m: Module, block: Any) -> None:
        m.d.comb += Assert(block.o != 5, "never five")

    claim = Proof("", lambda: Popcount(lanes=5), 1, wrong)
    assert not prove("wrong", claim, tmp_path).holds
    claim = Proof("", lambda: Popcount(lanes=4), 1, wrong)
    assert prove("right", claim, tmp_path) == Result(True, True)


class Overrun(wiring.Component):
    """Writes, or reads, the words of a memory in turn, and one that it does not have."""

    i: Signal

    def __init__(self, *, last: int, reads: bool) -> None:
        self.last = last
        self.reads = reads
        super().__init__({"i": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        memory = Ram(depth=3, width=2)
        m.submodules.memory = place(memory, platform)
        word = Signal(2)
        with m.If(self.i):
            m.d.sync += word.eq(Mux(word == self.last, 0, word + 1))
        m.d.comb += [memory.write_address.eq(word), memory.read_address.eq(word)]
        m.d.comb += (memory.read_enable if self.reads else memory.write_enable).eq(self.i)
        return m


@pytest.mark.parametrize("reads", [False, True])
def test_an_overrun_memory_is_found_out(reads, tmp_path):
    def claim(last: int) -> Proof:
        return Proof("", lambda: Overrun(last=last, reads=reads), 8)

    assert not prove("beyond", claim(3), tmp_path).holds
    assert prove("within", claim(2), tmp_path).holds


def test_a_claim_may_hold_for_some_cycles_only(tmp_path):
    class Counter(wiring.Component):
        o: Signal

        def __init__(self) -> None:
            super().__init__({"o": Out(4)})

        def elaborate(self, platform) -> Module:
            m = Module()
            m.d.sync += self.o.eq(self.o + 1)
            return m

    def small(m: Module, block: Any) -> None:
        m.d.comb += Assert(block.o < 9, "small")

    assert prove("few", Proof("", Counter, 9, small), tmp_path) == Result(True, False)
    assert not prove("more", Proof("", Counter, 10, small), tmp_path).holds


def test_what_a_user_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["prove", "popcount_7_all"]) == 0
    said = capsys.readouterr().out
    assert said == "PASS  popcount_7_all: the count of 7 bits is their sum, always\n"
    assert main(["prove", "nonsense"]) == 2
    assert "NAME: must be one of popcount_1_all, " in capsys.readouterr().err
    wrong = {"fickle": Proof("it stays", lambda: Fickle(changes=True))}
    monkeypatch.setattr("kakure.sim.commands.prove.PROOFS", wrong)
    assert main(["prove"]) == 1
    said = capsys.readouterr().out
    assert said == "FAIL  fickle: it stays; contradicted in build/formal/fickle.vcd\n"


def test_without_a_solver_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(prover.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match="z3 must be installed: run `pip install z3-solver`"):
        prover._solved(tmp_path, 1, is_induction=False)
