"""Largest sums of pools, as the positions of a layer come one by one."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed

from .widths import COUNT_BITS, KERNEL_BITS, POSITION_BITS

__all__ = ["PoolMaxima"]


class PoolMaxima:
    """Counts the positions that come, and keeps the largest sums since their pool began.

    Equal to :func:`kakure.model.reference.stages.max_pool`. Positions beyond those of the layer
    are counted, and nothing else.

    Parameters
    ----------
    layer : View of :func:`.target_layout`
        Stays until all have come.
    outputs : int
        Sums that come at once.
    sum_bits : int
        Width of a sum [bit].

    Attributes
    ----------
    goes : Signal
        With the sums of this cycle a pool is complete.
    is_last, is_last_pass : Signal, Value
        It is the layer's last one; it is one of the layer's last channels.
    largest : list of Signal
        From the cycle after ``goes`` on, the largest sums of the pool, until the next sums come.
    scales : Signal
        Where the scales of the channels that come are.
    has_all : Signal
        Set with the layer's last sums; cleared by whoever looks at it.
    """

    def __init__(self, *, layer: Any, outputs: int, sum_bits: int) -> None:
        self.layer = layer
        self.goes, self.has_all = Signal(), Signal()
        self.is_last = Signal(name="is_last")
        self.largest = [
            Signal(signed(sum_bits), name=f"largest_{o}", reset_less=True) for o in range(outputs)
        ]
        self.scales = Signal(COUNT_BITS, reset_less=True)
        self._received = Signal(POSITION_BITS, name="received", reset_less=True)
        self._inner = Signal(2 * KERNEL_BITS, name="inner", reset_less=True)
        self._channel_pass = Signal(COUNT_BITS, name="channel_pass", reset_less=True)
        self.is_last_pass: Value = self._channel_pass == layer.channel_passes - 1

    def build(self, m: Module, *, start: Value, i: Any, first_scales: Value) -> None:
        """Count in ``m``: from ``start`` on, ``sums`` of a position in a cycle with ``i.valid``."""
        layer, received, inner = self.layer, self._received, self._inner
        is_there = received < layer.positions
        is_complete = inner == layer.area - 1
        is_last_pool = received == layer.positions - 1
        m.d.comb += self.goes.eq(i.valid & is_there & is_complete)
        m.d.comb += self.is_last.eq(is_last_pool & self.is_last_pass)
        with m.If(i.valid | start):  # one enable for a clock gate
            with m.If(i.valid):
                m.d.sync += received.eq(received + 1)
                with m.If(is_there):
                    m.d.sync += inner.eq(Mux(is_complete, 0, inner + 1))
                    self._keep(m, i.sums)
                with m.If(received == layer.received - 1):
                    self._end_pass(m)
            with m.If(start):
                m.d.sync += [received.eq(0), inner.eq(0), self._channel_pass.eq(0)]
                m.d.sync += self.scales.eq(first_scales)

    def _keep(self, m: Module, sums: Any) -> None:
        for o, old in enumerate(self.largest):
            new = sums[o]
            with m.If((self._inner == 0) | (new > old)):
                m.d.sync += old.eq(new)

    def _end_pass(self, m: Module) -> None:
        with m.If(self.is_last_pass):
            m.d.sync += self.has_all.eq(1)
        m.d.sync += [self._received.eq(0), self._channel_pass.eq(self._channel_pass + 1)]
        m.d.sync += self.scales.eq(self.scales + 1)
