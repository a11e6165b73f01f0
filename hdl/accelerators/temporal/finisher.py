"""What becomes of the array's sums: pool, requantizer, shortcut, and where the map is written."""

from typing import Any, ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.model.parameters.parameters import OFFSET_BITS

from .address import add_address, address_layout, address_value
from .finisher_shape import FinisherShape
from .program import DIGIT
from .scale_lane import ScaleLane, lane_layout
from .target import target_layout
from .widths import CODE_BITS, COUNT_BITS, DIGITS, KERNEL_BITS, POSITION_BITS

__all__ = ["Finisher", "scales_layout"]


def scales_layout(outputs: int, depth: int) -> data.StructLayout:
    """The write port of the scales: M, B and S of one output of a channel pass."""
    return data.StructLayout({
        **lane_layout(depth).members,
        "output": range(max(outputs, 2)),  # Verilog has no port of width 0
    })


class _Destination:
    """Where the words of a position go: signals that move together through the pipeline."""

    def __init__(self, address: data.Layout, parts: Signal, name: str) -> None:
        self.is_last = Signal(name=f"{name}_is_last", reset_less=True)
        self.at: Any = Signal(address, name=f"{name}_at", reset_less=True)
        self.many = Signal(parts.shape(), name=f"{name}_many", reset_less=True)

    @property
    def parts(self) -> tuple[Value, Any, Value]:
        """All signals: whether it is a layer's last position, its first word, and how many."""
        return self.is_last, self.at, self.many

    def follow(self, is_last: Value, at: Any, many: Value) -> list[Any]:
        """Statements that make it this one."""
        return [
            self.is_last.eq(is_last),
            Value.cast(self.at).eq(Value.cast(at)),
            self.many.eq(many),
        ]


class Finisher(wiring.Component):
    """From sums of positions to words of the next map, or to logits.

    y = clamp(((max(sums of a pool)·M + B) >> S) + shortcut, 0, 2^bits − 1), bit-equal to
    :func:`kakure.model.reference.stages.requantize`. It counts what comes by itself.

    Parameters
    ----------
    outputs, word : int
        Sums that come at once; channels of a word.
    banks, rows : int
        Of a memory of activations.
    sum_bits : int
        Width of a sum [bit].
    depth : int
        Channel passes, of all layers, that scales are kept for.
    sets : int
        Scales of a channel, one after the other ``depth``, of which one is used.

    Members
    -------
    layer : ``In(target_layout(...))``
        Stays until ``is_done``.
    scales : ``In(scales_layout(...))``
        In a cycle with ``valid`` they are kept.
    start : ``In(1)``
        Begin a layer.
    set : ``In(range(sets))``, of several
        The set in use; stays as ``layer``.
    i : ``In(struct)``
        In a cycle with ``valid``, ``sums`` of a position.
    read_enable, read_row : Out
        What is read of each bank for a shortcut, at the end of the cycle.
    read : In
        What was read last.
    write_enable, write_row, write : Out
        What is written into each bank.
    logits : ``Out(struct)``
        In a cycle with ``valid``, ``values`` of a channel pass.
    is_done : ``Out(1)``
        From the cycle after the last word of a layer was written, until ``start``.

    Timing
    ------
    A position may come every n cycles, n the number of words that are written, or of those that are
    read, whichever is more.
    """

    unnamed: ClassVar = {"sets": 1}

    layer: Any
    scales: Any
    start: Signal
    set: Signal
    i: Any
    read_enable: Signal
    read_row: Any
    read: Any
    write_enable: Signal
    write_row: Any
    write: Any
    logits: Any
    is_done: Signal

    def __init__(
        self,
        *,
        outputs: int,
        word: int,
        banks: int,
        rows: int,
        sum_bits: int,
        depth: int,
        sets: int = 1,
    ) -> None:
        self.sets = sets
        self.outputs = outputs
        self.word = word
        self.banks = banks
        self.rows = rows
        self.sum_bits = sum_bits
        self.depth = depth
        self.shape = FinisherShape(outputs, word, banks, rows, sum_bits, depth)
        self.parts = self.shape.parts
        self.address = address_layout(rows, banks)
        sums = data.ArrayLayout(signed(sum_bits), outputs)
        logits = data.ArrayLayout(signed(OFFSET_BITS), outputs)
        row = data.ArrayLayout(range(max(rows, 2)), banks)
        words = data.ArrayLayout(word * DIGIT, banks)
        super().__init__({
            "layer": In(target_layout(rows, banks)),
            "scales": In(scales_layout(outputs, sets * depth)),
            "start": In(1),
            **({"set": In(range(sets))} if sets > 1 else {}),
            "i": In(data.StructLayout({"valid": 1, "sums": sums})),
            "read_enable": Out(banks),
            "read_row": Out(row),
            "read": In(words),
            "write_enable": Out(banks),
            "write_row": Out(row),
            "write": Out(words),
            "logits": Out(data.StructLayout({"valid": 1, "values": logits})),
            "is_done": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        layer = self.layer
        self._has_all, self._has_written = Signal(), Signal()
        goes, largest, is_last, is_last_pass, channel = self._pool(m)
        target, added = self._walks(m, goes)
        parts = Signal(range(self.parts + 1))
        m.d.comb += parts.eq(Mux(is_last_pass, layer.last_words, self.parts))

        # One cycle later the largest sum is there; the address of a word goes with it.
        going, ends = Signal(), Signal()
        at: Any = Signal(self.address, name="at", reset_less=True)
        many = Signal.like(parts, name="many")
        m.d.sync += [going.eq(goes), ends.eq(goes & is_last)]
        with m.If(goes):
            m.d.sync += [Value.cast(at).eq(Value.cast(target)), many.eq(parts)]
        has_read, more = self._shortcut(m, goes, added, parts)
        lanes = self._scaled(m, platform, largest, going, channel)

        # When the shortcut has been read the product is almost there; then sum and code follow.
        has_product, adds, writes = Signal(), Signal(), Signal()
        codes = [Signal(CODE_BITS, name=f"code_{o}", reset_less=True) for o in range(self.outputs)]
        peak = Signal(CODE_BITS)
        m.d.comb += peak.eq((1 << layer.bits) - 1)
        names = "held", "multiplied", "summed", "written"
        stages = [_Destination(self.address, parts, name) for name in names]
        m.d.sync += has_product.eq(has_read)
        m.d.sync += [adds.eq(has_product & ~layer.is_logits), writes.eq(adds)]
        with m.If(going):
            m.d.sync += stages[0].follow(ends, at, many)
        with m.If(has_read):
            m.d.sync += stages[1].follow(*stages[0].parts)
        with m.If(has_product):
            m.d.sync += stages[2].follow(*stages[1].parts)
        with m.If(adds):
            m.d.sync += stages[3].follow(*stages[2].parts)
        for o, code in enumerate(codes):
            scaled = Signal(lanes[o].scaled.shape(), name=f"scaled_{o}", reset_less=True)
            shortcut = Signal(CODE_BITS, name=f"shortcut_{o}", reset_less=True)
            to_add = Signal(CODE_BITS, name=f"to_add_{o}", reset_less=True)
            total = Signal(signed(CODE_BITS + 3), name=f"total_{o}")
            m.d.comb += total.eq(scaled + to_add)
            with m.If(has_read):
                m.d.sync += shortcut.eq(more[o])
            with m.If(has_product):
                m.d.sync += [scaled.eq(lanes[o].scaled), to_add.eq(shortcut)]
            with m.If(adds):
                m.d.sync += code.eq(Mux(total < 0, 0, Mux(total > peak, peak, total)))
        m.d.comb += self.logits.valid.eq(has_product & layer.is_logits)
        for o, lane in enumerate(lanes):
            m.d.comb += self.logits.values[o].eq(lane.logit)
        self._write(m, writes, stages[3], codes)
        with m.If(self.logits.valid & stages[1].is_last):
            m.d.sync += self._has_written.eq(1)
        with m.If(self.start):
            m.d.sync += [self._has_written.eq(0), self._has_all.eq(0)]
        m.d.comb += self.is_done.eq(self._has_written & self._has_all)
        return m

    def _pool(self, m: Module) -> tuple[Signal, list[Signal], Signal, Value, Signal]:
        """Maxima of pools.

        When one is complete, all maxima, whether it is the last of all, and of the last channels,
        and where the scales of its channels are.
        """
        layer = self.layer
        received = Signal(POSITION_BITS, reset_less=True)
        inner = Signal(2 * KERNEL_BITS, reset_less=True)
        channel_pass = Signal(COUNT_BITS, reset_less=True)
        scales = Signal(COUNT_BITS, reset_less=True)
        goes, is_last = Signal(), Signal()
        is_there = received < layer.positions
        is_complete = inner == layer.area - 1
        is_pass_end = received == layer.received - 1
        m.d.comb += goes.eq(self.i.valid & is_there & is_complete)
        is_last_pool = received == layer.positions - 1
        is_last_pass = channel_pass == layer.channel_passes - 1
        m.d.comb += is_last.eq(is_last_pool & is_last_pass)
        largest = [
            Signal(signed(self.sum_bits), name=f"largest_{o}", reset_less=True)
            for o in range(self.outputs)
        ]
        with m.If(self.i.valid | self.start):  # one enable for a clock gate
            with m.If(self.i.valid):
                m.d.sync += received.eq(received + 1)
                with m.If(is_there):
                    m.d.sync += inner.eq(Mux(is_complete, 0, inner + 1))
                    for o, old in enumerate(largest):
                        new = self.i.sums[o]
                        with m.If((inner == 0) | (new > old)):
                            m.d.sync += old.eq(new)
                with m.If(is_pass_end):
                    with m.If(is_last_pass):
                        m.d.sync += self._has_all.eq(1)
                    m.d.sync += [received.eq(0), channel_pass.eq(channel_pass + 1)]
                    m.d.sync += scales.eq(scales + 1)
            with m.If(self.start):
                m.d.sync += [received.eq(0), inner.eq(0), channel_pass.eq(0)]
                m.d.sync += scales.eq(self._first_scales())
        return goes, largest, is_last, is_last_pass, scales

    def _first_scales(self) -> Value:
        """Where the scales of the layer's first channels are."""
        first = self.layer.scales
        return first if self.sets == 1 else first + self.set * self.depth

    def _walks(self, m: Module, goes: Signal) -> tuple[Any, Any]:
        """Addresses of the position that is complete, in the target and in what is added."""
        layer = self.layer
        column = Signal(COUNT_BITS, reset_less=True)
        is_row_end = column == layer.width - 1
        is_map_end = Signal()
        pools = Signal(POSITION_BITS, reset_less=True)  # positions complete, of these channels
        m.d.comb += is_map_end.eq(pools + layer.area == layer.positions)
        result = []
        with m.If(goes | self.start):
            is_new_row, is_new_map = self.start | is_row_end, self.start | is_map_end
            m.d.sync += column.eq(Mux(is_new_row, 0, column + 1))
            m.d.sync += pools.eq(Mux(is_new_map, 0, pools + layer.area))
        one = self.address.const(address_value(self.parts, self.rows, self.banks))
        for name in ("target", "added"):
            walk = layer[name]
            at: Any = Signal(self.address, name=f"{name}_at", reset_less=True)
            first: Any = Signal(
                self.address, name=f"{name}_first", reset_less=True
            )  # of these channels
            on = Mux(is_row_end, Value.cast(walk.next_row), Value.cast(walk.next_position))
            distance: Any = Signal(self.address, name=f"{name}_on")
            m.d.comb += Value.cast(distance).eq(on)
            further = add_address(m, at, distance, self.banks, f"{name}_further")
            next_first = add_address(m, first, one, self.banks, f"{name}_next")
            with m.If(goes):
                m.d.sync += Value.cast(at).eq(Value.cast(further))
                with m.If(is_map_end):
                    m.d.sync += Value.cast(at).eq(Value.cast(next_first))
                    m.d.sync += Value.cast(first).eq(Value.cast(next_first))
            with m.If(self.start):
                m.d.sync += Value.cast(at).eq(Value.cast(walk.origin))
                m.d.sync += Value.cast(first).eq(Value.cast(walk.origin))
            result.append(at)
        return result[0], result[1]

    def _turns(
        self, m: Module, begins: Value, at: Any, walk: Any, parts: Value, name: str
    ) -> tuple[Signal, Any, Signal, Signal, Signal]:
        """Word after word of a position, ``parts`` of them, the first in the cycle of ``begins``.

        Whether there is one, its address, its number, its digit, and whether it is the last.
        """
        is_busy = Signal(name=f"{name}_busy")
        number, digit = Signal(range(self.parts), name=f"{name}_n"), Signal(name=f"{name}_digit")
        held: Any = Signal(self.address, name=f"{name}_held", reset_less=True)
        base: Any = Signal(self.address, name=f"{name}_base")
        goes = Signal(name=f"{name}_goes")
        m.d.comb += goes.eq(begins | is_busy)
        m.d.comb += Value.cast(base).eq(Mux(begins, Value.cast(at), Value.cast(held)))
        second = add_address(m, base, walk.plane, self.banks, f"{name}_second")
        address: Any = Signal(self.address, name=f"{name}_address")
        is_second = digit & ~begins
        m.d.comb += Value.cast(address).eq(Mux(is_second, Value.cast(second), Value.cast(base)))
        one = self.address.const(address_value(1, self.rows, self.banks))
        on = add_address(m, base, one, self.banks, f"{name}_on")
        now = Mux(begins, 0, number)
        is_digit_end = ~walk.has_two_digits | is_second
        is_last = Signal(name=f"{name}_last")
        asked = Signal(range(self.parts + 1), name=f"{name}_asked")
        with m.If(begins):
            m.d.sync += asked.eq(parts)
        m.d.comb += is_last.eq(is_digit_end & (now + 1 == Mux(begins, parts, asked)))
        with m.If(goes):
            m.d.sync += [is_busy.eq(~is_last), digit.eq(~is_digit_end), number.eq(now)]
            m.d.sync += Value.cast(held).eq(Value.cast(base))
            with m.If(is_digit_end):
                m.d.sync += [number.eq(now + 1), Value.cast(held).eq(Value.cast(on))]
        shown = Signal(range(self.parts), name=f"{name}_shown")
        m.d.comb += shown.eq(now)
        second_digit = Signal(name=f"{name}_is_second")
        m.d.comb += second_digit.eq(is_second)
        return goes, address, shown, second_digit, is_last

    def _shortcut(
        self, m: Module, goes: Signal, added: Any, parts: Value
    ) -> tuple[Signal, list[Value]]:
        """Read what is added; when all of it is there, and what it is."""
        layer = self.layer
        begins = goes & layer.has_added
        reads, at, number, digit, is_last = self._turns(
            m, begins, added, layer.added, parts, "added"
        )
        for bank in range(self.banks):
            m.d.comb += self.read_enable[bank].eq(reads & (at.bank == bank))
            m.d.comb += self.read_row[bank].eq(at.row)
        came, came_last = Signal(), Signal()
        its_bank, its_number, its_digit = Signal(range(self.banks)), Signal.like(number), Signal()
        m.d.sync += [came.eq(reads), came_last.eq(reads & is_last)]
        with m.If(reads):
            m.d.sync += [its_bank.eq(at.bank), its_number.eq(number), its_digit.eq(digit)]
        word = Signal(self.word * DIGIT)
        m.d.comb += word.eq(Array(self.read[bank] for bank in range(self.banks))[its_bank])
        values = []
        for o in range(self.outputs):
            part, lane = divmod(o, self.word)
            old = Signal(CODE_BITS, name=f"added_{o}", reset_less=True)
            bits = word.word_select(lane, DIGIT)
            with m.If(came & (its_number == part)):
                m.d.sync += old.eq(Mux(its_digit, Cat(old[:DIGIT], bits), bits))
            values.append(old)
        has_read, plain = Signal(), Signal(2)
        m.d.sync += has_read.eq(came_last)
        m.d.sync += plain.eq(Cat(goes & ~layer.has_added, plain))
        ready = Signal()
        m.d.comb += ready.eq(Mux(layer.has_added, has_read, plain[-1]))
        more = [Mux(layer.has_added, (value << layer.left) >> layer.right, 0) for value in values]
        return ready, more

    def _scaled(
        self,
        m: Module,
        platform: Platform | None,
        largest: list[Signal],
        going: Signal,
        channel: Signal,
    ) -> list[ScaleLane]:
        """Lanes that scale the sums; 3 cycles after those were complete."""
        asked = Signal(COUNT_BITS, reset_less=True)
        is_known = Signal()
        reads = self.i.valid & (~is_known | (asked != channel))
        with m.If(self.i.valid):
            m.d.sync += [asked.eq(channel), is_known.eq(1)]
        with m.If(self.start | self.scales.valid):
            m.d.sync += is_known.eq(0)
        lanes = []
        for o, value in enumerate(largest):
            lane = ScaleLane(sum_bits=self.sum_bits, depth=self.sets * self.depth)
            m.submodules[f"lane_{o}"] = place(lane, platform)
            for name in ("address", "multiplier", "offset", "shift"):
                m.d.comb += lane.scales[name].eq(self.scales[name])
            m.d.comb += [
                lane.scales.valid.eq(self.scales.valid & (self.scales.output == o)),
                lane.read.eq(reads),
                lane.address.eq(channel),
                lane.multiply.eq(going),
                lane.value.eq(value),
            ]
            lanes.append(lane)
        return lanes

    def _write(
        self,
        m: Module,
        writes: Signal,
        place_: "_Destination",
        codes: list[Signal],
    ) -> None:
        """Write the codes word by word, digit by digit."""
        goes, at, number, digit, is_last = self._turns(
            m, writes, place_.at, self.layer.target, place_.many, "write"
        )
        ends = Signal()
        with m.If(writes):
            m.d.sync += ends.eq(place_.is_last)
        with m.If(goes & is_last & Mux(writes, place_.is_last, ends)):
            m.d.sync += self._has_written.eq(1)
        words = []
        for part in range(self.parts):
            some = codes[part * self.word : (part + 1) * self.word]
            low, high = (Cat(code.word_select(d, DIGIT) for code in some) for d in range(DIGITS))
            words.append(Mux(digit, high, low))
        word = Array(words)[number] if self.parts > 1 else words[0]
        for bank in range(self.banks):
            m.d.comb += self.write_enable[bank].eq(goes & (at.bank == bank))
            m.d.comb += self.write_row[bank].eq(at.row)
            m.d.comb += self.write[bank].eq(word)
