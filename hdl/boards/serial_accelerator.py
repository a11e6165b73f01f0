"""An accelerator behind a serial line: all that a board with a UART needs."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.bus.register_bank import AXI_LITE
from kakure.hdl.emission.hierarchy import place
from kakure.model.config.config import Config

from .axi_lite_client import CLIENT
from .link_device import LinkDevice
from .uart_receiver import UartReceiver
from .uart_transmitter import UartTransmitter

__all__ = ["DEPTH", "SerialAccelerator"]

DEPTH = 512
"""Words that wait in each direction: a block of memory."""


class SerialAccelerator(wiring.Component):
    """A network that is loaded and run over two wires, as a host asks.

    See :mod:`kakure.model.link.frames` for what is said on the line (8 data bits, no parity, one
    stop bit), and :class:`kakure.hdl.accelerators.accelerator.Accelerator` for what the network
    does. No byte is lost: what finds no room is refused, and asked again.

    Parameters
    ----------
    config : Config
    divisor : int, at least 4
        Cycles of a bit.
    gap : int
        Cycles without a byte after which a request that has begun is damaged.
    depth : int, a power of two
        Words that wait in each direction.

    Members
    -------
    rx : ``In(1)``
    tx : ``Out(1)``

    Raises
    ------
    UserError
        If the configuration cannot become hardware.
    ValueError
        If a parameter is out of range.
    """

    rx: Signal
    tx: Signal

    def __init__(self, *, config: Config, divisor: int, gap: int, depth: int = DEPTH) -> None:
        self.accelerator = Accelerator(config=config)
        self.link = LinkDevice(depth=depth, gap=gap)
        self.receiver = UartReceiver(divisor=divisor)
        self.transmitter = UartTransmitter(divisor=divisor)
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        link, accelerator = self.link, self.accelerator
        for name in ("accelerator", "link", "receiver", "transmitter"):
            m.submodules[name] = place(getattr(self, name), platform)
        m.d.comb += [
            self.receiver.rx.eq(self.rx),
            link.has_byte.eq(self.receiver.has_byte),
            link.byte.eq(self.receiver.byte),
            self.transmitter.i.valid.eq(link.o.valid),
            self.transmitter.i.payload.eq(link.o.payload),
            link.o.ready.eq(self.transmitter.i.ready),
            self.tx.eq(self.transmitter.tx),
            accelerator.s_axis_tvalid.eq(link.words.valid),
            accelerator.s_axis_tdata.eq(link.words.payload.word),
            accelerator.s_axis_tlast.eq(link.words.payload.last),
            link.words.ready.eq(accelerator.s_axis_tready),
            link.results.valid.eq(accelerator.m_axis_tvalid),
            link.results.payload.eq(accelerator.m_axis_tdata),
            accelerator.m_axis_tready.eq(link.results.ready),
        ]
        for (outer, member), inner in zip(CLIENT.items(), AXI_LITE, strict=True):
            asks, answers = getattr(link, outer), getattr(accelerator, inner)
            m.d.comb += answers.eq(asks) if member.flow is Out else asks.eq(answers)
        return m
