"""What reads the windows of a layer, and tells the array what to do with them."""

from typing import Any, ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.field import field

from .address import add_address, address_layout
from .array import step_layout
from .block_maker import slot_layout
from .positions import positions_layout
from .program import DIGIT
from .widths import COUNT_BITS, DIGITS, KERNEL_BITS, POSITION_BITS
from .window_reader_shape import WindowReaderShape

__all__ = ["WindowReader"]


class _Place:
    """A position of the walk over a layer, and its window: signals that move together."""

    def __init__(self, address: data.Layout, name: str) -> None:
        self.left = Signal(POSITION_BITS, name=f"{name}_left", reset_less=True)
        self.column = Signal(COUNT_BITS, name=f"{name}_column", reset_less=True)
        self.inner_x = Signal(KERNEL_BITS, name=f"{name}_inner_x", reset_less=True)
        self.inner_y = Signal(KERNEL_BITS, name=f"{name}_inner_y", reset_less=True)
        self.x = Signal(signed(COUNT_BITS + 1), name=f"{name}_x", reset_less=True)
        self.y = Signal(signed(COUNT_BITS + 1), name=f"{name}_y", reset_less=True)
        self.address: Any = Signal(address, name=f"{name}_address", reset_less=True)

    @property
    def parts(self) -> list[Value]:
        """All signals."""
        return [
            self.left, self.column, self.inner_x, self.inner_y, self.x, self.y,
            Value.cast(self.address),
        ]  # fmt: skip

    def follow(self, other: "_Place") -> list[Any]:
        """Statements that make it the other's."""
        return [mine.eq(its) for mine, its in zip(self.parts, other.parts, strict=True)]


class _Count:
    """Where the walk is: counters, and what the current cycle does."""

    def __init__(self, pixels: int, batches: int, planes: int) -> None:
        self.pixel = Signal(range(pixels))
        self.digit = Signal(range(DIGITS))
        self.batch = Signal(range(batches + 1))
        self.block = Signal(COUNT_BITS, reset_less=True)
        self.planes = planes
        self.plane = Signal(range(max(planes, 2)), name="plane_number", reset_less=True)
        self.channel_pass = Signal(COUNT_BITS, reset_less=True)
        self.many = Signal(range(batches + 1))
        """Batches of this pass, once they are counted."""
        self.drained = Signal(range(batches + 1))
        """Batches whose sums wait to be drained."""
        self.reads = Signal()
        self.drains_only = Signal()
        self.advance = Signal()
        """What is read, or drained, goes on in this cycle."""
        self.is_held = Signal()
        """A step waits to be taken."""

    @property
    def is_first_block(self) -> Value:
        """Sums begin: the first block, of the first plane."""
        is_first = self.block == 0
        return is_first & (self.plane == 0) if self.planes else is_first

    def clear(self) -> list[Any]:
        """Statements that begin a layer."""
        counters = self.pixel, self.digit, self.batch, self.block, self.channel_pass, self.drained
        planes = [self.plane.eq(0)] if self.planes else []
        return [*(counter.eq(0) for counter in counters), *planes]


class WindowReader(wiring.Component):
    """All windows of a layer, a block at a time, as steps of the array.

    For each ``outputs`` channels, and each pass over as many positions as the array has sums for,
    block by block: batch by batch of positions, digit by digit, a position per cycle. The first
    block of a pass drains the sums of the one before; where those are more, or there is no next
    pass, or the layer ``drains_apart``, steps that only drain follow.

    Parameters
    ----------
    inputs, pixels, batches : int
        Of the array.
    word : int
        Inputs of a slot.
    rows : int
        Of a bank of activations.
    planes : int
        Planes of bitwise weights, for each of which all blocks are gone through; else 0.

    Members
    -------
    layer : ``In(positions_layout(...))``
        Stays while it is worked on.
    start : ``In(1)``
        Begin a layer.
    used : ``In``, with planes
        Planes in use, 1 to all; stays as ``layer``.
    slots, has_slots, takes_slots
        As those of :class:`~kakure.hdl.accelerators.temporal.block_maker.BlockMaker`.
    enable, row : ``Out(banks)``, ``Out(array of rows)``
        What is read of each bank of the memory, at the end of the cycle.
    read : ``In(array of words)``
        What was read last.
    is_draining : ``In(1)``
        As that of the array.
    is_busy : ``Out(1)``
        Steps will come.
    o : ``Out(stream.Signature(step_layout(...)))``
        Steps.

    Timing
    ------
    A position per cycle, so a step every ``pixels`` cycles; the next block follows without a pause
    if its slots are there.
    """

    unnamed: ClassVar = {"planes": 0}

    layer: Any
    start: Signal
    used: Signal
    slots: Any
    has_slots: Signal
    takes_slots: Signal
    enable: Signal
    row: Any
    read: Any
    is_draining: Signal
    is_busy: Signal
    o: stream.Interface

    def __init__(
        self, *, inputs: int, pixels: int, batches: int, word: int, rows: int, planes: int = 0
    ) -> None:
        self.planes = planes
        self.inputs = inputs
        self.pixels = pixels
        self.batches = batches
        self.word = word
        self.rows = rows
        self.banks = banks = inputs // word
        self.shape = WindowReaderShape(inputs, pixels, batches, word, rows)
        self.address = address_layout(rows, banks)
        step = step_layout(inputs=inputs, pixels=pixels, batches=batches, planes=planes)
        super().__init__({
            "layer": In(positions_layout(rows, banks)),
            "start": In(1),
            **({"used": In(range(planes + 1))} if planes else {}),
            "slots": In(data.ArrayLayout(slot_layout(rows, banks), banks)),
            "has_slots": In(1),
            "takes_slots": Out(1),
            "enable": Out(banks),
            "row": Out(data.ArrayLayout(range(max(rows, 2)), banks)),
            "read": In(data.ArrayLayout(word * DIGIT, banks)),
            "is_draining": In(1),
            "is_busy": Out(1),
            "o": Out(stream.Signature(step)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        layer = self.layer
        names = "now", "after", "first", "pass_begin", "batch_begin"
        places = {name: _Place(self.address, name) for name in names}
        now, after, first = places["now"], places["after"], places["first"]
        slots = [
            Signal(slot_layout(self.rows, self.banks), name=f"slot_{n}", reset_less=True)
            for n in range(self.banks)
        ]
        count = _Count(self.pixels, self.batches, self.planes)
        m.d.comb += [
            first.left.eq(layer.positions),
            first.x.eq(-layer.padding),
            first.y.eq(-layer.padding),
            Value.cast(first.address).eq(Value.cast(layer.origin)),
        ]
        self._step_on(m, now, after)
        self._fetch(m, now, slots, count)

        def take_slots() -> None:
            m.d.comb += self.takes_slots.eq(1)
            m.d.sync += [
                Value.cast(slot).eq(Value.cast(self.slots[n])) for n, slot in enumerate(slots)
            ]

        def begin(place: _Place, *others: str) -> None:
            for name in ("now", "batch_begin", *others):
                m.d.sync += places[name].follow(place)

        def next_block() -> None:
            m.d.sync += count.block.eq(count.block + 1)
            if self.planes:
                with m.If(ends_plane):
                    m.d.sync += [count.block.eq(0), count.plane.eq(count.plane + 1)]
            begin(places["pass_begin"])
            m.next = "SLOTS"

        def next_pass() -> None:
            begin(now, "pass_begin")
            with m.If(now.left == 0):
                begin(first, "pass_begin")
                m.d.sync += count.channel_pass.eq(count.channel_pass + 1)
            m.next = "SLOTS"

        is_end = (now.left == 0) & (count.channel_pass == layer.channel_passes - 1)
        ends_plane = count.block == layer.blocks - 1
        is_last_block: Value = ends_plane
        if self.planes:
            is_last_block = ends_plane & (count.plane + 1 == self.used)
        many = Signal(range(self.batches + 1))
        m.d.comb += many.eq(count.batch + 1)
        with m.FSM() as states:
            m.d.comb += self.is_busy.eq(~states.ongoing("IDLE"))
            with m.State("IDLE"), m.If(self.start):
                begin(first, "pass_begin")
                m.d.sync += count.clear()
                m.next = "SLOTS"
            with m.State("SLOTS"), m.If(self.has_slots):
                take_slots()
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += count.reads.eq(1)
                with m.If(count.advance):
                    m.d.sync += now.follow(after)
                    m.d.sync += count.pixel.eq(count.pixel + 1)
                ends_step = count.advance & (count.pixel == self.pixels - 1)
                with m.If(ends_step):
                    m.d.sync += [count.pixel.eq(0), count.digit.eq(count.digit + 1)]
                    m.d.sync += now.follow(places["batch_begin"])
                ends_batch = ends_step & (count.digit == layer.has_two_digits)
                with m.If(ends_batch):
                    m.d.sync += [count.digit.eq(0), count.batch.eq(many)]
                    begin(after)
                with m.If(ends_batch & ((many == self.batches) | (after.left == 0))):
                    m.d.sync += count.many.eq(many)
                    with m.If(count.is_first_block & (count.drained > many)):
                        m.next = "REST"
                    with m.Else():
                        m.d.sync += count.batch.eq(0)
                        with m.If(is_last_block):
                            m.next = "END"
                        with m.Else():
                            next_block()
                            with m.If(self.has_slots):
                                take_slots()
                                m.next = "READ"
            with m.State("REST"):  # what the pass before had more
                m.d.comb += count.drains_only.eq(1)
                with m.If(count.advance):
                    m.d.sync += count.batch.eq(many)
                    with m.If(many == count.drained):
                        m.d.sync += count.batch.eq(0)
                        with m.If(is_last_block):
                            m.next = "END"
                        with m.Else():
                            next_block()
            with m.State("END"):
                m.d.sync += [count.drained.eq(count.many), count.block.eq(0)]
                if self.planes:
                    m.d.sync += count.plane.eq(0)
                with m.If(is_end | layer.drains_apart):
                    m.next = "DRAIN"
                with m.Else():
                    next_pass()
            with m.State("DRAIN"):
                m.d.comb += count.drains_only.eq(1)
                with m.If(count.advance):
                    m.d.sync += count.batch.eq(many)
                    with m.If(many == count.drained):
                        m.d.sync += [count.batch.eq(0), count.drained.eq(0)]
                        m.next = "WAIT"
                        with m.If(is_end):
                            m.next = "IDLE"
            with m.State("WAIT"), m.If(~count.is_held & ~self.is_draining):
                next_pass()
        return m

    def _step_on(self, m: Module, now: _Place, after: _Place) -> None:
        """The position after another; its address by one of four distances."""
        layer, stride = self.layer, self.layer.stride
        is_pool_column = now.inner_x == layer.pool - 1
        is_pool = is_pool_column & (now.inner_y == layer.pool - 1)
        is_row = is_pool & (now.column == layer.pooled_width - 1)
        back = Signal(2 * KERNEL_BITS)  # from the last to the first of a pool
        m.d.comb += back.eq((layer.pool - 1) * stride)
        distance: Any = Signal(self.address, name="distance")
        m.d.comb += after.follow(now)
        m.d.comb += [
            after.left.eq(Mux(now.left == 0, 0, now.left - 1)),
            after.inner_x.eq(now.inner_x + 1),
            after.x.eq(now.x + stride),
            Value.cast(distance).eq(Value.cast(layer.next_column)),
        ]
        with m.If(is_pool_column):
            m.d.comb += [
                after.inner_x.eq(0),
                after.inner_y.eq(now.inner_y + 1),
                after.x.eq(now.x - back),
                after.y.eq(now.y + stride),
                Value.cast(distance).eq(Value.cast(layer.next_line)),
            ]
        with m.If(is_pool):
            m.d.comb += [
                after.inner_y.eq(0),
                after.column.eq(now.column + 1),
                after.x.eq(now.x + stride),
                after.y.eq(now.y - back),
                Value.cast(distance).eq(Value.cast(layer.next_pool)),
            ]
        with m.If(is_row):
            m.d.comb += [
                after.column.eq(0),
                after.x.eq(-layer.padding),
                after.y.eq(now.y + stride),
                Value.cast(distance).eq(Value.cast(layer.next_row)),
            ]
        moved = add_address(m, now.address, distance, self.banks, "moved")
        m.d.comb += Value.cast(after.address).eq(Value.cast(moved))

    def _fetch(self, m: Module, now: _Place, slots: list[Any], count: _Count) -> None:
        """Read the words of a position's window; in the next cycle they belong to its step."""
        layer, banks = self.layer, self.banks
        origin: Any = Signal(self.address, name="digit_origin")
        second = add_address(m, now.address, layer.plane, banks, "second")
        m.d.comb += Value.cast(origin).eq(
            Mux(count.digit == 0, Value.cast(now.address), Value.cast(second))
        )
        is_read, rows, first_bank = Signal(banks), [], Value.cast(0)
        for n, slot in enumerate(slots):
            at = add_address(m, origin, slot.distance, banks, f"word_{n}")
            if n == 0:
                first_bank = at.bank
            rows.append(at.row)
            y, x = now.y + slot.ky, now.x + slot.kx
            m.d.comb += is_read[n].eq(
                slot.is_there & (now.left != 0)
                & (y >= 0) & (y < layer.height) & (x >= 0) & (x < layer.width)
            )  # fmt: skip
        # Neighbouring slots lie in neighbouring banks: which one is first decides for all.
        goes = count.reads & count.advance
        for bank in range(banks):
            turned = [(bank - turn) % banks for turn in range(banks)]
            m.d.comb += self.row[bank].eq(Array(rows[n] for n in turned)[first_bank])
            m.d.comb += self.enable[bank].eq(goes & Array(is_read[n] for n in turned)[first_bank])

        valid, is_last = Signal(), Signal()
        pixel = Signal.like(count.pixel)
        was_read, turn = Signal(banks), Signal(range(banks))
        step: Any = self.o.payload
        tags = {
            "last_plane": layer.last_plane[count.digit],
            "digit": count.digit,
            "batch": count.batch,
            "computes": count.reads,
            "begins_block": count.reads & (count.batch == 0) & (count.digit == 0),
            "begins_sums": count.is_first_block,
            "drains": count.drains_only
            | (count.is_first_block & (count.digit == 0) & (count.batch < count.drained)),
        }
        if self.planes:
            tags["doubles"] = (count.block == 0) & (count.plane != 0)
        m.d.comb += [
            self.o.valid.eq(valid & is_last),
            count.advance.eq(~valid | ~is_last | self.o.ready),
            count.is_held.eq(valid),
        ]
        with m.If(count.advance):
            m.d.sync += valid.eq(count.reads | count.drains_only)
            m.d.sync += is_last.eq(count.drains_only | (count.pixel == self.pixels - 1))
            m.d.sync += [pixel.eq(count.pixel), was_read.eq(is_read), turn.eq(first_bank)]
        positions = Signal(range(self.pixels + 1), reset_less=True)
        with m.If(count.advance & (count.pixel == 0)):
            m.d.sync += positions.eq(Mux(now.left > self.pixels, self.pixels, now.left))
        m.d.comb += step.positions.eq(positions)
        for name, tag in tags.items():
            held = Signal(step[name].shape(), name=f"step_{name}")
            with m.If(count.advance):
                m.d.sync += held.eq(tag)
            m.d.comb += step[name].eq(held)

        word = self.word * DIGIT
        lanes = Cat(
            Array(self.read[(n + start) % banks] for start in range(banks))[turn]
            & was_read[n].replicate(word)
            for n in range(banks)
        )
        for p in range(self.pixels - 1):
            held = Signal(banks * word, name=f"x_{p}", reset_less=True)
            with m.If(valid & (pixel == p)):
                m.d.sync += held.eq(lanes)
            m.d.comb += Value.cast(field(step, "x", p)).eq(held)
        m.d.comb += Value.cast(field(step, "x", self.pixels - 1)).eq(lanes)
