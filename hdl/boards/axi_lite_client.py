"""AXI4-Lite from the asking side: one register access at a time."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_bank import AXI_LITE
from kakure.hdl.bus.register_map import ADDRESS_BITS

__all__ = ["CLIENT", "AxiLiteClient"]

CLIENT = {f"m{name[1:]}": member.flip() for name, member in AXI_LITE.items()}
"""Ports of an AXI4-Lite client, ``m_axi_*``."""


class AxiLiteClient(wiring.Component):
    """Reads or writes a register of a :class:`~kakure.hdl.bus.register_bank.RegisterBank`.

    Members
    -------
    start : ``In(1)``
        Begin; not while an access is under way.
    is_write, address, value : In
        What; they stay until the end.
    is_done : ``Out(1)``
        The access ends in this cycle.
    is_refused : ``Out(1)``
        With ``is_done``: there is no such register.
    read : ``Out(32)``
        With ``is_done``: its value.
    m_axi_*
        AXI4-Lite, 32 bit.

    Timing
    ------
    Address and value are offered from the cycle after ``start`` on.
    """

    start: Signal
    is_write: Signal
    address: Signal
    value: Signal
    is_done: Signal
    is_refused: Signal
    read: Signal
    m_axi_awaddr: Signal
    m_axi_awvalid: Signal
    m_axi_awready: Signal
    m_axi_wdata: Signal
    m_axi_wstrb: Signal
    m_axi_wvalid: Signal
    m_axi_wready: Signal
    m_axi_bresp: Signal
    m_axi_bvalid: Signal
    m_axi_bready: Signal
    m_axi_araddr: Signal
    m_axi_arvalid: Signal
    m_axi_arready: Signal
    m_axi_rdata: Signal
    m_axi_rresp: Signal
    m_axi_rvalid: Signal
    m_axi_rready: Signal

    def __init__(self) -> None:
        super().__init__({
            "start": In(1),
            "is_write": In(1),
            "address": In(ADDRESS_BITS),
            "value": In(32),
            "is_done": Out(1),
            "is_refused": Out(1),
            "read": Out(32),
            **CLIENT,
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        is_answered = (self.m_axi_bvalid & self.m_axi_bready) | (
            self.m_axi_rvalid & self.m_axi_rready
        )
        response = Mux(self.is_write, self.m_axi_bresp, self.m_axi_rresp)
        m.d.comb += [
            self.m_axi_awaddr.eq(self.address),
            self.m_axi_araddr.eq(self.address),
            self.m_axi_wdata.eq(self.value),
            self.m_axi_wstrb.eq(0b1111),
            self.is_done.eq(is_answered),
            self.is_refused.eq(response != 0),
            self.read.eq(self.m_axi_rdata),
        ]
        for valid, ready in (
            (self.m_axi_awvalid, self.m_axi_awready),
            (self.m_axi_wvalid, self.m_axi_wready),
            (self.m_axi_arvalid, self.m_axi_arready),
        ):
            with m.If(ready):
                m.d.sync += valid.eq(0)
        with m.If(is_answered):
            m.d.sync += [self.m_axi_bready.eq(0), self.m_axi_rready.eq(0)]
        with m.If(self.start):
            m.d.sync += [
                self.m_axi_awvalid.eq(self.is_write),
                self.m_axi_wvalid.eq(self.is_write),
                self.m_axi_bready.eq(self.is_write),
                self.m_axi_arvalid.eq(~self.is_write),
                self.m_axi_rready.eq(~self.is_write),
            ]
        return m
