"""Top of the spatial accelerator: AXI4-Stream in and out, AXI4-Lite registers."""

from amaranth.hdl import Cat, Module, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from model.config import Config

from .bus_widths import check_bus_widths
from .counters import Counters
from .hierarchy import place
from .register_bank import AXI_LITE, RegisterBank
from .register_map import IDENTITY, MAP_VERSION
from .spatial_core import SpatialCore
from .weight_generator import LoadError

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """A network as one block: first its supermask image, then images in, results out.

    Bit-equal to :func:`model.reference.network`.

    Parameters
    ----------
    config : Config
        With hidden weights.

    Members
    -------
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast
        AXI4-Stream in, 32 bit: the words of :func:`model.image.image_words`, TLAST with the last;
        then images of 8-bit values, (row, column, channel), four a word, the first least
        significant. An image starts with a new word; TLAST is not looked at.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast
        AXI4-Stream out, 32 bit: a signed logit per word, TLAST with the last; or the class.
    s_axi_*
        AXI4-Lite, 32 bit: the registers of :mod:`hdl.register_map`.

    Timing
    ------
    As :func:`hdl.cycle_model.image_timing` computes, exactly.

    Raises
    ------
    UserError
        If a layer is too wide to be emitted (:mod:`hdl.bus_widths`).
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
        check_bus_widths(config)
        self.config = config
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

    def elaborate(self, platform) -> Module:
        m = Module()
        bank = RegisterBank()
        m.submodules.registers = place(bank, platform)
        for name, member in AXI_LITE.items():
            outer, inner = getattr(self, name), getattr(bank, name)
            m.d.comb += outer.eq(inner) if member.flow is wiring.Out else inner.eq(outer)

        core = SpatialCore(config=self.config)
        m.submodules.core = place(core, platform, reset=bank.reset)
        m.d.comb += [
            core.i.valid.eq(self.s_axis_tvalid & ~bank.reset),
            core.i.payload.word.eq(self.s_axis_tdata),
            core.i.payload.last.eq(self.s_axis_tlast),
            self.s_axis_tready.eq(core.i.ready & ~bank.reset),
            self.m_axis_tvalid.eq(core.o.valid),
            self.m_axis_tdata.eq(core.o.payload.word),
            self.m_axis_tlast.eq(core.o.payload.last),
            core.o.ready.eq(self.m_axis_tready),
            core.sends_class.eq(bank.sends_class),
        ]

        height, width, channels = self.config.shape
        counters = Counters(image_words=-(-height * width * channels // 4))
        m.submodules.counters = place(counters, platform, reset=bank.reset)
        m.d.comb += [
            counters.offers.eq(core.i.valid),
            counters.takes.eq(core.i.valid & core.i.ready),
            counters.is_loaded.eq(core.loaded),
            counters.has_failed.eq(core.error != LoadError.NONE),
            counters.ends.eq(core.o.valid & core.o.ready & core.o.payload.last),
        ]
        for name, value in self._values(core, counters).items():
            m.d.comb += bank.values[name].eq(value)
        return m

    def _values(self, core: SpatialCore, counters: Counters) -> dict[str, ValueLike]:
        """What the registers show."""
        digest = self.config.digest
        return {
            "IDENTITY": IDENTITY,
            "VERSION": MAP_VERSION,
            **{f"DIGEST_{k}": int(digest[8 * k : 8 * k + 8], 16) for k in range(8)},
            "STATUS": Cat(core.loaded, counters.has_failed, counters.is_busy),
            "ERROR": Value.cast(core.error) | core.error_layer << 8,
            "LOAD_CYCLES": counters.load_cycles,
            "RESULTS": counters.results,
            "LATENCY": counters.latency,
            "CYCLES": counters.cycles,
        }
