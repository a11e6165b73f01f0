"""AXI4-Lite access to the registers of the accelerator."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .register_bank_shape import RegisterBankShape
from .register_map import ACCELERATOR_REGISTERS, ADDRESS_BITS, Register

__all__ = ["AXI_LITE", "RegisterBank", "register_layout"]

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

BYTE = 8
"""Bits of the data that one strobe writes."""

SLAVE_ERROR = 0b10
"""Response to an address that holds no register, or a write to one that cannot be written."""


def register_layout(register: Register) -> data.Layout:
    """The bits of a register, each field where the table has it; one number without fields."""
    if not register.fields:
        return data.StructLayout({"value": 32})
    return data.FlexibleLayout(
        32, {field.name: data.Field(unsigned(field.width), field.low) for field in register.fields}
    )


(CONTROL,) = (register for register in ACCELERATOR_REGISTERS if register.name == "CONTROL")


class RegisterBank(wiring.Component):
    """The registers of the register map on an AXI4-Lite bus.

    Parameters
    ----------
    registers : tuple of Register
        With those of :data:`~kakure.hdl.bus.register_map.ACCELERATOR_REGISTERS` first.

    Members
    -------
    s_axi_*
        AXI4-Lite target, 32 bit. Reading where no register is, or writing one that is only read,
        gets SLVERR and does nothing.
    values : ``In(struct)``
        Every register that is only read, each of :func:`register_layout`: what reading it returns.
    control : ``Out(register_layout(CONTROL))``
        The kept fields of CONTROL as they were written last; a pulse for the cycle after a 1 was
        written to it.
    kept : ``Out(struct)``, where there are such
        Every other register that is written, each of :func:`register_layout`, as it was written
        last; 0 after a reset.

    Timing
    ------
    A read is answered in the cycle after its address was taken, a write in the cycle after the
    later of its address and its data was, which are taken independently of each other; ``control``
    and ``kept`` change with that. Requests are taken at once where no answer of their kind waits.
    All outputs come from registers.

    Source
    ------
    AMBA AXI and ACE protocol specification, Arm IHI 0022, chapters A3 and B1.
    """

    values: Any
    control: Any
    kept: Any
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

    def __init__(self, *, registers: tuple[Register, ...] = ACCELERATOR_REGISTERS) -> None:
        offsets = [register.offset for register in registers]
        assert len(set(offsets)) == len(offsets), "registers must lie apart"
        assert max(offsets) < 1 << ADDRESS_BITS, "registers must be within reach"
        self.registers = registers
        self.written = [CONTROL, *(r for r in registers if r.access == "rw" and r != CONTROL)]
        kept = {register.name: register_layout(register) for register in self.written[1:]}
        self.shape = RegisterBankShape(own=len(registers) - len(ACCELERATOR_REGISTERS))
        super().__init__({
            **AXI_LITE,
            "values": In(
                data.StructLayout({
                    register.name: register_layout(register)
                    for register in registers
                    if register.access == "r"
                })
            ),
            "control": Out(register_layout(CONTROL)),
            **({"kept": Out(data.StructLayout(kept))} if kept else {}),
        })

    @property
    def identity(self) -> dict[str, int | str | None]:
        """The registers that not all accelerators have."""
        own = [r.name for r in self.registers if r not in ACCELERATOR_REGISTERS]
        return {"own": "_".join(own).lower()} if own else {}

    def elaborate(self, platform) -> Module:
        m = Module()
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        """Take address and data, each when it comes, and answer when both are there."""
        writes = Signal()
        targets = [self.s_axi_awaddr[2:] == register.offset // 4 for register in self.written]
        target = targets[0] if len(targets) == 1 else Cat(targets)
        has_address, to = self._keep(
            m, "address", self.s_axi_awvalid, self.s_axi_awready, target, writes
        )
        bits = max(field.low + field.width for r in self.written for field in r.fields)
        strobes = -(-bits // 8)
        both = Cat(self.s_axi_wdata[:bits], self.s_axi_wstrb[:strobes])
        has_data, taken = self._keep(m, "data", self.s_axi_wvalid, self.s_axi_wready, both, writes)

        m.d.comb += writes.eq(has_address & has_data)
        to_any = to if len(targets) == 1 else to.any()
        for n, register in enumerate(self.written):
            to_it = to if len(targets) == 1 else to[n]
            kept = self.control if register is CONTROL else self.kept[register.name]
            for field in register.fields:
                value = taken[field.low : field.low + field.width]
                is_written = writes & to_it & taken[bits + field.byte]
                target = kept[field.name]
                if field.is_pulse:
                    m.d.sync += target.eq(Mux(is_written, value, 0))
                elif field.low + field.width <= BYTE * (field.byte + 1):
                    with m.If(is_written):
                        m.d.sync += target.eq(value)
                else:  # whole bytes, each by its own strobe
                    assert field.low % BYTE == 0
                    for byte in range(0, field.width, BYTE):
                        with m.If(writes & to_it & taken[bits + field.byte + byte // BYTE]):
                            m.d.sync += target[byte : byte + BYTE].eq(value[byte : byte + BYTE])
        with m.If(writes):
            m.d.sync += self.s_axi_bvalid.eq(1)
            m.d.sync += self.s_axi_bresp.eq(Mux(to_any, 0, SLAVE_ERROR))
        with m.Elif(self.s_axi_bready):
            m.d.sync += self.s_axi_bvalid.eq(0)

    def _keep(
        self, m: Module, name: str, valid: Signal, ready: Signal, value: Value, writes: Signal
    ) -> tuple[Value, Value]:
        """Take one part of a write; return whether it is there, and it, until ``writes``."""
        is_kept = Signal(name=f"{name}_is_kept")
        kept = Signal(len(value), name=f"kept_{name}", reset_less=True)
        enters = valid & ready
        m.d.comb += ready.eq(~is_kept & ~self.s_axi_bvalid)
        with m.If(enters):
            m.d.sync += kept.eq(value)
        is_there = is_kept | enters
        m.d.sync += is_kept.eq(is_there & ~writes)
        return is_there, Mux(is_kept, kept, value)

    def _read(self, m: Module) -> None:
        """Answer with a register; pulses of CONTROL read as 0."""
        control: Any = Signal(register_layout(CONTROL))  # a View
        for field in CONTROL.fields:
            if not field.is_pulse:
                m.d.comb += control[field.name].eq(self.control[field.name])
        m.d.comb += self.s_axi_arready.eq(~self.s_axi_rvalid)
        with m.If(self.s_axi_arvalid & self.s_axi_arready):
            m.d.sync += self.s_axi_rvalid.eq(1)
            with m.Switch(self.s_axi_araddr[2:]):
                for register in self.registers:
                    if register is CONTROL:
                        value = control
                    elif register.access == "rw":
                        value = self.kept[register.name]
                    else:
                        value = self.values[register.name]
                    with m.Case(register.offset // 4):
                        m.d.sync += self.s_axi_rdata.eq(value)
                        m.d.sync += self.s_axi_rresp.eq(0)
                with m.Default():
                    m.d.sync += self.s_axi_rdata.eq(0)
                    m.d.sync += self.s_axi_rresp.eq(SLAVE_ERROR)
        with m.Elif(self.s_axi_rready):
            m.d.sync += self.s_axi_rvalid.eq(0)
