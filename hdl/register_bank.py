"""AXI4-Lite access to the registers of the accelerator."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .register_map import ACCELERATOR_REGISTERS, ADDRESS_BITS

__all__ = ["AXI_LITE", "RegisterBank"]

AXI_LITE = {
    "s_axi_awaddr": In(ADDRESS_BITS),
    "s_axi_awvalid": In(1),
    "s_axi_awready": Out(1),
    "s_axi_wdata": In(32),
    "s_axi_wstrb": In(4),
    "s_axi_wvalid": In(1),
    "s_axi_wready": Out(1),
    "s_axi_bresp": Out(2),
    "s_axi_bvalid": Out(1),
    "s_axi_bready": In(1),
    "s_axi_araddr": In(ADDRESS_BITS),
    "s_axi_arvalid": In(1),
    "s_axi_arready": Out(1),
    "s_axi_rdata": Out(32),
    "s_axi_rresp": Out(2),
    "s_axi_rvalid": Out(1),
    "s_axi_rready": In(1),
}
"""Ports of an AXI4-Lite target, with the names that integration tools expect."""

SLAVE_ERROR = 0b10
"""Response to an address that holds no register, or a write to one that cannot be written."""


class RegisterBank(wiring.Component):
    """The registers of :data:`hdl.register_map.ACCELERATOR_REGISTERS` on an AXI4-Lite bus.

    Members
    -------
    s_axi_*
        AXI4-Lite target, 32 bit. Reading where no register is, or writing any but CONTROL, gets
        SLVERR and does nothing.
    values : ``In(struct)``
        A 32-bit field for every register but CONTROL: what reading it returns.
    reset : ``Out(1)``
        1 for the cycle after CONTROL.RESET was written.
    sends_class : ``Out(1)``
        CONTROL.CLASS.

    Timing
    ------
    A read is answered in the cycle after its address was taken, a write in the cycle after its
    address and its data were, which are taken together.

    Source
    ------
    AMBA AXI and ACE protocol specification, Arm IHI 0022, chapter B1.
    """

    values: data.View
    reset: Signal
    sends_class: Signal
    s_axi_awaddr: Signal
    s_axi_awvalid: Signal
    s_axi_awready: Signal
    s_axi_wdata: Signal
    s_axi_wstrb: Signal
    s_axi_wvalid: Signal
    s_axi_wready: Signal
    s_axi_bresp: Signal
    s_axi_bvalid: Signal
    s_axi_bready: Signal
    s_axi_araddr: Signal
    s_axi_arvalid: Signal
    s_axi_arready: Signal
    s_axi_rdata: Signal
    s_axi_rresp: Signal
    s_axi_rvalid: Signal
    s_axi_rready: Signal

    def __init__(self) -> None:
        readable = [r.name for r in ACCELERATOR_REGISTERS if r.access == "r"]
        super().__init__({
            **AXI_LITE,
            "values": In(data.StructLayout({name: 32 for name in readable})),
            "reset": Out(1),
            "sends_class": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        offsets = {register.name: register.offset for register in ACCELERATOR_REGISTERS}

        writes = Signal()
        is_control = self.s_axi_awaddr[2:] == offsets["CONTROL"] // 4
        m.d.comb += writes.eq(self.s_axi_awvalid & self.s_axi_wvalid & ~self.s_axi_bvalid)
        m.d.comb += self.s_axi_awready.eq(writes)
        m.d.comb += self.s_axi_wready.eq(writes)
        m.d.sync += self.reset.eq(0)
        with m.If(writes):
            m.d.sync += self.s_axi_bvalid.eq(1)
            m.d.sync += self.s_axi_bresp.eq(Mux(is_control, 0, SLAVE_ERROR))
            with m.If(is_control & self.s_axi_wstrb[0]):
                m.d.sync += self.reset.eq(self.s_axi_wdata[0])
                m.d.sync += self.sends_class.eq(self.s_axi_wdata[1])
        with m.Elif(self.s_axi_bready):
            m.d.sync += self.s_axi_bvalid.eq(0)

        m.d.comb += self.s_axi_arready.eq(~self.s_axi_rvalid)
        with m.If(self.s_axi_arvalid & self.s_axi_arready):
            m.d.sync += self.s_axi_rvalid.eq(1)
            with m.Switch(self.s_axi_araddr[2:]):
                for name, offset in offsets.items():
                    value = self.sends_class << 1 if name == "CONTROL" else self.values[name]
                    with m.Case(offset // 4):
                        m.d.sync += self.s_axi_rdata.eq(value)
                        m.d.sync += self.s_axi_rresp.eq(0)
                with m.Default():
                    m.d.sync += self.s_axi_rdata.eq(0)
                    m.d.sync += self.s_axi_rresp.eq(SLAVE_ERROR)
        with m.Elif(self.s_axi_rready):
            m.d.sync += self.s_axi_rvalid.eq(0)
        return m
