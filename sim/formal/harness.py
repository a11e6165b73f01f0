"""A block with all inputs free, the rules of its streams, and what else is claimed of it."""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth.hdl import Assert, Assume, Elaboratable, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from kakure.hdl.emission.hierarchy import place

__all__ = ["Claim", "Harness"]

Claim = Callable[[Module, Any], None]
"""Adds assumptions and assertions about a block to the module around it."""


class Harness(Elaboratable):
    """A block in an environment that may do anything that its rules allow.

    Streams: what is offered and not taken is offered again, unchanged. Of the block's inputs that
    is assumed, of its outputs it is asserted. Elaborated with a :class:`.Prover`, memories of the
    block, and below it, are asserted to have the words that are read and written.

    Parameters
    ----------
    block : Component
    claim : Claim, optional
        What else is assumed and asserted.
    stays : sequence of str
        Inputs that stay as they are while an output is offered and not taken.
    rests : sequence of str
        Inputs that are 0 in the cycle after one in which an output was not taken.
    loose : sequence of str
        Outputs of which only ``valid`` has to stay.

    Attributes
    ----------
    ports : list of Signal
        All that is free; complete after :meth:`elaborate`.
    """

    def __init__(
        self,
        block: wiring.Component,
        claim: Claim | None = None,
        *,
        stays: Sequence[str] = (),
        rests: Sequence[str] = (),
        loose: Sequence[str] = (),
    ) -> None:
        self.block = block
        self.claim = claim
        self.stays = stays
        self.rests = rests
        self.loose = loose
        self.ports: list[Signal] = []

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.block = place(self.block, platform)
        waits = Signal()  # an output was offered in the cycle before, and not taken
        waiting = []
        for name, member in self.block.signature.members.items():
            port = getattr(self.block, name)
            if not member.is_port:
                waiting += self._stream(m, name, port, is_input=member.flow is In)
            elif member.flow is In:
                m.d.comb += Value.cast(port).eq(self._free(name, Shape.cast(member.shape).width))
        m.d.sync += waits.eq(Value.cast(sum(waiting, start=Value.cast(0))) != 0)
        for name in self.stays:
            port = Value.cast(getattr(self.block, name))
            old = Signal(len(port), name=f"old_{name}")
            m.d.sync += old.eq(port)
            m.d.comb += Assume(~waits | (port == old), f"{name} stays")
        for name in self.rests:
            port = Value.cast(getattr(self.block, name))
            m.d.comb += Assume(~waits | (port == 0), f"{name} rests")
        if self.claim is not None:
            self.claim(m, self.block)
        return m

    def _free(self, name: str, width: int) -> Signal:
        signal = Signal(width, name=f"free_{name}")
        self.ports.append(signal)
        return signal

    def _stream(self, m: Module, name: str, port: Any, *, is_input: bool) -> list[Value]:
        """Free the other side; return whether an output waits."""
        payload = Value.cast(port.payload)
        if is_input:
            m.d.comb += port.valid.eq(self._free(f"{name}_valid", 1))
            m.d.comb += payload.eq(self._free(f"{name}_payload", len(payload)))
        else:
            m.d.comb += port.ready.eq(self._free(f"{name}_ready", 1))
        was_waiting = Signal(name=f"{name}_was_waiting")
        old = Signal(len(payload), name=f"{name}_old")
        waits = port.valid & ~port.ready
        m.d.sync += [was_waiting.eq(waits), old.eq(payload)]
        is_same = 1 if name in self.loose else payload == old
        rule = ~was_waiting | (port.valid & is_same)
        what = f"{name}: what is offered stays until it is taken"
        m.d.comb += Assume(rule, what) if is_input else Assert(rule, what)
        return [] if is_input else [waits]
