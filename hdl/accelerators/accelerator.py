"""Top of every accelerator: AXI4-Stream in and out, AXI4-Lite registers."""

from functools import cached_property
from typing import Any

from amaranth.hdl import Module, Signal, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.core import Core
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_bank import AXI_LITE, RegisterBank
from kakure.hdl.bus.register_map import PLANES, THRESHOLD, constant_values
from kakure.hdl.emission.hierarchy import place
from kakure.model.config.config import Config

from .accelerator_shape import AcceleratorShape
from .counters import Counters

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """A network as one block: first its supermask image, then images in, results out.

    Bit-equal to :func:`kakure.model.reference.network.network`.

    Parameters
    ----------
    config : Config
        With hidden weights.

    Members
    -------
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast
        AXI4-Stream in, 32 bit: the words of
        :func:`kakure.model.parameters.supermask_image.image_words`, TLAST with the last and no
        other (CONTROL.SPLIT: TLAST is not looked at); then images of 8-bit values, (row, column,
        channel), four a word, the first least significant, TLAST with the last word of each
        (CONTROL.BATCH: it may stay away). An image starts with a new word. An image whose frame is
        wrong is an error, and has no result; the next frame is right.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast
        AXI4-Stream out, 32 bit: a signed logit per word, TLAST with the last; or the class.
    s_axi_*
        AXI4-Lite, 32 bit: the registers of :mod:`kakure.hdl.bus.register_map`.

    Timing
    ------
    As :meth:`kakure.hdl.accelerators.architecture.Architecture.timing` says, exactly. No output
    depends on an input within a cycle. CONTROL.RESET takes effect in the cycle in which its write
    is answered: nothing is taken then, and the next word is the first of a supermask.

    Raises
    ------
    UserError
        If the configuration cannot become hardware.
    """

    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal

    def __init__(self, *, config: Config) -> None:
        self.config = config
        self.architecture = architecture_of(config)
        self.architecture.check()
        super().__init__({
            "s_axis_tdata": In(32),
            "s_axis_tvalid": In(1),
            "s_axis_tready": Out(1),
            "s_axis_tlast": In(1),
            "m_axis_tdata": Out(32),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
            **AXI_LITE,
        })

    @cached_property
    def shape(self) -> AcceleratorShape:
        """Its sizes; UserError if a part has no closed form."""
        return AcceleratorShape(self.architecture.shape(), len(self.architecture.own_registers))

    def elaborate(self, platform) -> Module:
        m = Module()
        bank = RegisterBank(registers=self.architecture.registers)
        m.submodules.registers = place(bank, platform)
        for name, member in AXI_LITE.items():
            outer, inner = getattr(self, name), getattr(bank, name)
            m.d.comb += outer.eq(inner) if member.flow is wiring.Out else inner.eq(outer)

        control = bank.control
        core = self.architecture.core()
        m.submodules.core = place(core, platform, reset=control.RESET)
        m.d.comb += [
            core.i.valid.eq(self.s_axis_tvalid & ~control.RESET),
            core.i.payload.word.eq(self.s_axis_tdata),
            core.i.payload.last.eq(self.s_axis_tlast),
            self.s_axis_tready.eq(core.i.ready & ~control.RESET),
            self.m_axis_tvalid.eq(core.o.valid),
            self.m_axis_tdata.eq(core.o.payload.word),
            self.m_axis_tlast.eq(core.o.payload.last),
            core.o.ready.eq(self.m_axis_tready),
            core.sends_class.eq(control.CLASS),
            core.is_batch.eq(control.BATCH),
            core.is_split.eq(control.SPLIT),
            core.load.eq(control.LOAD),
            core.clear.eq(control.CLEAR),
        ]
        if PLANES in bank.registers:
            m.d.comb += core.tried.eq(bank.kept.PLANES.TRIED)
        if THRESHOLD in bank.registers:
            m.d.comb += core.threshold.eq(bank.kept.THRESHOLD.MARGIN)

        counters = Counters()
        m.submodules.counters = place(counters, platform, reset=control.RESET | core.restarts)
        m.d.comb += [
            counters.offers.eq(core.i.valid),
            counters.takes.eq(core.i.valid & core.i.ready),
            counters.is_loaded.eq(core.loaded),
            counters.has_failed.eq(core.error != ErrorCode.NONE),
            counters.ends.eq(core.o.valid & core.o.ready & core.o.payload.last),
        ]
        self._show(m, bank.values, core, counters)
        return m

    def _show(self, m: Module, values: Any, core: Core, counters: Counters) -> None:
        """Connect what the registers show."""
        numbers: dict[str, ValueLike] = {
            **constant_values(self.architecture.digest),
            "LOAD_CYCLES": counters.load_cycles,
            "RESULTS": counters.results,
            "LATENCY": counters.latency,
            "CYCLES": counters.cycles,
            "DROPPED": core.dropped,
            **{register.name: core.own[register.name] for register in core.own_registers},
        }
        for name, number in numbers.items():
            m.d.comb += values[name].value.eq(number)
        m.d.comb += [
            values.STATUS.LOADED.eq(core.loaded),
            values.STATUS.ERROR.eq(core.error != ErrorCode.NONE),
            values.STATUS.BUSY.eq(core.is_busy),
            values.STATUS.WAITING.eq(core.is_waiting),
            values.ERROR.CODE.eq(core.error),
            values.ERROR.LAYER.eq(core.error_layer),
        ]
