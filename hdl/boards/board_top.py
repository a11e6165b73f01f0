"""An accelerator on the pins of a board: its UART, and a clock of its PLL."""

from typing import Any

from amaranth.hdl import ClockDomain, Elaboratable, Instance, Module, Signal
from amaranth.lib import io

from kakure.model.config.config import Config

from .serial_accelerator import SerialAccelerator

__all__ = ["GAP_S", "PLL", "BoardTop", "divisor_of"]

GAP_S = 0.02
"""Pause after which a request that has begun counts as damaged: longer than any of a USB bridge."""

PLL = "pll"
"""Module of the PLL; made by ecppll."""


def divisor_of(mhz: float, baud: int) -> int:
    """Cycles of a bit."""
    return round(mhz * 1e6 / baud)


class BoardTop(Elaboratable):
    """What a platform builds.

    Parameters
    ----------
    config : Config
    mhz : float
        Clock of the accelerator.
    baud : int
    has_pll : bool
        That clock comes from a module :data:`PLL`; else it is the board's own.
    """

    def __init__(self, config: Config, *, mhz: float, baud: int, has_pll: bool) -> None:
        self.mhz = mhz
        self.has_pll = has_pll
        divisor, gap = divisor_of(mhz, baud), round(mhz * 1e6 * GAP_S)
        self.serial = SerialAccelerator(config=config, divisor=divisor, gap=gap)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.serial = self.serial
        pins = {pin.name: "-" for pin in platform.lookup("uart", 0).ios}
        uart = platform.request("uart", 0, dir=pins)
        m.submodules.rx = rx = io.Buffer(io.Direction.Input, uart.rx)
        m.submodules.tx = tx = io.Buffer(io.Direction.Output, uart.tx)
        m.d.comb += [self.serial.rx.eq(rx.i), tx.o.eq(self.serial.tx)]
        if self.has_pll:
            clock, locked = Signal(), Signal()
            domain: Any = ClockDomain("sync")
            m.domains.sync = domain
            crystal = io.Buffer(io.Direction.Input, platform.request(platform.default_clk, dir="-"))
            m.submodules.crystal = crystal
            m.submodules.pll = Instance(
                PLL,
                i_clkin=crystal.i,
                o_clkout0=clock,
                o_locked=locked,
            )
            m.d.comb += [domain.clk.eq(clock), domain.rst.eq(~locked)]
            platform.add_clock_constraint(clock, self.mhz * 1e6)
        return m
