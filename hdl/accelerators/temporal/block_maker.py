"""What makes the weights of one block after another, and says which words its windows read."""

from typing import Any, ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .address import add_address, address_layout, address_value
from .block_maker_shape import BlockMakerShape
from .row_signs import RowSigns
from .row_signs_shape import LATENCY
from .widths import CHANNEL_BITS, COUNT_BITS, KERNEL_BITS, ROW_BITS

__all__ = ["BlockMaker", "made_layout", "slot_layout", "window_layout"]


def window_layout(rows: int, banks: int, planes: int = 0) -> data.StructLayout:
    """What a layer's windows look like, and how often its weights are made.

    ``prefix`` begins its hashes; ``mask`` is where its masks begin. With ``planes``, there are
    no hashes, and ``pass_words`` words of masks for the channels of a pass. ``words`` of a
    position, ``run`` slots of a kernel row, ``next_line`` from the last of them to the first of the
    next.
    """
    return data.StructLayout({
        "pass_words" if planes else "prefix": 32,
        "mask": 32,
        "channels": CHANNEL_BITS,
        "words": CHANNEL_BITS,
        "run": COUNT_BITS,
        "kernel_height": KERNEL_BITS,
        "kernel_width": KERNEL_BITS,
        "window": 2 * KERNEL_BITS,
        "next_line": address_layout(rows, banks),
        "blocks": COUNT_BITS,
        "channel_passes": COUNT_BITS,
        "position_passes": COUNT_BITS,
        "last_outputs": COUNT_BITS,
    })


def slot_layout(rows: int, banks: int) -> data.StructLayout:
    """A word of a window: whether it is there, its place in the kernel, and its distance."""
    return data.StructLayout({
        "is_there": 1,
        "ky": KERNEL_BITS,
        "kx": KERNEL_BITS,
        "distance": address_layout(rows, banks),
    })


def made_layout(*, inputs: int, outputs: int, many: int) -> data.StructLayout:
    """Weights of ``many`` neighbouring inputs."""
    row = data.ArrayLayout(outputs, many)
    return data.StructLayout({
        "valid": 1,
        "group": range(max(inputs // many, 2)),
        "positive": row,
        "negative": row,
    })


class BlockMaker(wiring.Component):
    """Weights of all blocks of a layer, in the order in which the array uses them.

    For every ``outputs`` channels, as often as there are passes over positions, block by block:
    the signs of its rows, where its mask keeps them. The mask is read in that order, a word for
    ``many`` rows of a slot of which the first one is there.

    Parameters
    ----------
    inputs, outputs : int
    word : int
        Inputs of a slot.
    many : int
        Rows made in a cycle; it divides ``word``.
    rows : int
        Of a bank of activations.
    mask_words : int
        Of the memory of masks.
    planes : int
        Planes of bitwise weights; 0 where signs are made.

    Members
    -------
    window : ``In(window_layout(...))``
        The layer. Stays while it is worked on.
    start : ``In(1)``
        Begin a layer.
    used : ``In``, with planes
        Planes in use, 1 to all; stays as ``window``. All blocks are gone through for each of them,
        before the next positions.
    mask_address, mask_enable : Out
        The word of the mask wanted in the next cycle.
    mask : ``In(data.ArrayLayout(outputs, many))``
        That word.
    weights : ``Out(made_layout(...))``
        Weights, for :class:`~kakure.hdl.accelerators.temporal.array.TemporalArray`.
    slots : ``Out(data.ArrayLayout(slot_layout(...), inputs // word))``
        The slots of the block, while it ``has_slots``.
    made : ``Out(range(inputs * outputs + 1))``
        How many weights of the block there are, while it ``has_weights``.
    has_weights, has_slots : ``Out(1)``
        A block is complete, and its weights, or slots, were not taken.
    takes_weights, takes_slots : ``In(1)``
        They are taken; once both were, the next one is begun.

    Timing
    ------
    A block takes inputs / many + 5 cycles from the one after it was begun to the first of
    ``has_weights``.
    """

    unnamed: ClassVar = {"planes": 0}

    window: Any
    start: Signal
    used: Signal
    mask_address: Signal
    mask_enable: Signal
    mask: Any
    weights: Any
    slots: Any
    made: Signal
    has_weights: Signal
    has_slots: Signal
    takes_weights: Signal
    takes_slots: Signal

    def __init__(
        self,
        *,
        inputs: int,
        outputs: int,
        word: int,
        many: int,
        rows: int,
        mask_words: int,
        planes: int = 0,
    ) -> None:
        self.planes = planes
        self.inputs = inputs
        self.outputs = outputs
        self.word = word
        self.many = many
        self.rows = rows
        self.mask_words = mask_words
        self.banks = inputs // word
        self.shape = BlockMakerShape(inputs, outputs, word, many, rows, mask_words)
        super().__init__({
            "window": In(window_layout(rows, self.banks, planes)),
            "start": In(1),
            **({"used": In(range(planes + 1))} if planes else {}),
            "mask_address": Out(range(max(mask_words, 2))),
            "mask_enable": Out(1),
            "mask": In(data.ArrayLayout(outputs, many)),
            "weights": Out(made_layout(inputs=inputs, outputs=outputs, many=many)),
            "slots": Out(data.ArrayLayout(slot_layout(rows, self.banks), self.banks)),
            "made": Out(range(inputs * outputs + 1)),
            "has_weights": Out(1),
            "has_slots": Out(1),
            "takes_weights": In(1),
            "takes_slots": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        begins_block, advances = self._passes(m)
        group, goes = self._groups(m, begins_block)
        begins_rows = self._begins_pass
        if self._begins_plane is not None:
            begins_rows = begins_rows | self._begins_plane
        begins_rows = begins_block & begins_rows
        is_there, rows = self._rows(m, group, goes, begins_rows)
        signs = None
        if not self.planes:
            signs = RowSigns(outputs=self.outputs, many=self.many)
            m.submodules.signs = place(signs, platform)
            m.d.comb += [
                signs.prefix.eq(self.window.prefix),
                signs.restart.eq(self.start),
                signs.advance.eq(advances),
                signs.valid.eq(goes & is_there.any()),
                *(signs.rows[n].eq(row) for n, row in enumerate(rows)),
            ]
        self._finish(m, signs, group, goes, is_there)
        inputs = Signal(range(self.inputs + 1), reset_less=True)
        with m.If(goes | begins_block):
            many = sum(is_there[n] for n in range(self.many))
            m.d.sync += inputs.eq(Mux(begins_block, 0, inputs + many))
        m.d.comb += self.made.eq(inputs * self._outputs)
        return m

    def _passes(self, m: Module) -> tuple[Signal, Signal]:
        """Count blocks and passes; when a block, and the next channels begin."""
        window = self.window
        block = Signal(COUNT_BITS, reset_less=True)
        position_pass = Signal(COUNT_BITS, reset_less=True)
        channel_pass = Signal(COUNT_BITS, reset_less=True)
        gave_weights, gave_slots = Signal(), Signal()
        is_busy, is_making = Signal(), Signal()
        self._ends_block = Signal(name="ends_block")
        self._begins_pass = Signal(name="begins_pass")
        self._begins_plane: Signal | None = None
        if self.planes:
            self._begins_plane = Signal(name="begins_plane")
            self._plane = Signal(range(max(self.planes, 2)), name="plane")
        self._begins_channels = Signal(name="begins_channels")
        begins, advances = Signal(), Signal()

        is_made = is_busy & ~is_making
        is_last = channel_pass == window.channel_passes - 1
        self._outputs = Signal(range(self.outputs + 1), name="outputs")
        m.d.comb += self._outputs.eq(Mux(is_last, window.last_outputs, self.outputs))
        m.d.comb += self.has_weights.eq(is_made & ~gave_weights)
        m.d.comb += self.has_slots.eq(is_made & ~gave_slots)
        gone_weights = gave_weights | self.takes_weights
        gone_slots = gave_slots | self.takes_slots
        m.d.comb += begins.eq(self.start)
        m.d.comb += self._begins_pass.eq(self.start)
        m.d.comb += self._begins_channels.eq(self.start)
        with m.If(self._ends_block):
            m.d.sync += is_making.eq(0)
        with m.If(is_made | self.start):  # one enable for a clock gate
            with m.If(is_made):
                m.d.sync += [gave_weights.eq(gone_weights), gave_slots.eq(gone_slots)]
                with m.If(gone_weights & gone_slots):
                    is_last_block = block == window.blocks - 1
                    m.d.sync += block.eq(Mux(is_last_block, 0, block + 1))
                    is_last_block = self._ends_planes(m, is_last_block)
                    is_last_pass = position_pass == window.position_passes - 1
                    with m.If(is_last_block):
                        m.d.sync += position_pass.eq(Mux(is_last_pass, 0, position_pass + 1))
                        m.d.comb += self._begins_pass.eq(1)
                        with m.If(is_last_pass):
                            m.d.sync += channel_pass.eq(channel_pass + 1)
                            m.d.comb += advances.eq(1)
                            m.d.comb += self._begins_channels.eq(1)
                    with m.If(is_last_block & is_last_pass & is_last):
                        m.d.sync += is_busy.eq(0)
                    with m.Else():
                        m.d.comb += begins.eq(1)
            with m.If(self.start):
                m.d.sync += [block.eq(0), position_pass.eq(0), channel_pass.eq(0)]
        with m.If(begins):
            m.d.sync += [is_busy.eq(1), is_making.eq(1), gave_weights.eq(0), gave_slots.eq(0)]
        return begins, advances

    def _ends_planes(self, m: Module, is_last_block: Value) -> Value:
        """Whether a plane's last block is that of the last plane in use; count planes."""
        if self._begins_plane is None:
            return is_last_block
        plane = self._plane
        is_last_plane = plane + 1 == self.used
        with m.If(is_last_block):
            m.d.sync += plane.eq(Mux(is_last_plane, 0, plane + 1))
            m.d.comb += self._begins_plane.eq(~is_last_plane)
        return is_last_block & is_last_plane

    def _groups(self, m: Module, begins: Signal) -> tuple[Signal, Signal]:
        """Count the groups of rows of a block."""
        many = self.inputs // self.many
        group = Signal(range(many))
        goes = Signal()
        with m.If(goes):
            m.d.sync += group.eq(group + 1)
            with m.If(group == many - 1):
                m.d.sync += goes.eq(0)
        with m.If(begins):
            m.d.sync += [group.eq(0), goes.eq(1)]
        return group, goes

    def _rows(
        self, m: Module, group: Signal, goes: Signal, begins_pass: Value
    ) -> tuple[Signal, list[Value]]:
        """Walk the slots and their rows: which of ``many`` rows are there, and their numbers."""
        window = self.window
        per_slot = self.word // self.many
        part = Signal(range(per_slot))
        place_ = Signal(COUNT_BITS, reset_less=True)
        word = Signal(CHANNEL_BITS, reset_less=True)
        kx = Signal(COUNT_BITS, reset_less=True)  # beyond the kernel in empty slots
        ky = Signal(COUNT_BITS, reset_less=True)
        channel = Signal(CHANNEL_BITS + 1, reset_less=True)  # of this group
        row = Signal(ROW_BITS, reset_less=True)
        place_row = Signal(ROW_BITS, reset_less=True)  # of channel 0 here
        line_row = Signal(ROW_BITS, reset_less=True)  # of channel 0 at kx = 0
        distance: Any = Signal(address_layout(self.rows, self.banks), reset_less=True)
        one = distance.shape().const(address_value(1, self.rows, self.banks))
        slots = Array(
            Signal(slot_layout(self.rows, self.banks), name=f"slot_{n}", reset_less=True)
            for n in range(self.banks)
        )
        for n, slot in enumerate(slots):
            m.d.comb += Value.cast(self.slots[n]).eq(Value.cast(slot))

        is_slot = Signal()
        m.d.comb += is_slot.eq((kx < window.kernel_width) & (ky < window.kernel_height))
        is_there = Signal(self.many)
        m.d.comb += is_there.eq(
            Cat(is_slot & (channel + n < window.channels) for n in range(self.many))
        )
        rows = [row + n * window.window for n in range(self.many)]

        is_line_end = place_ == window.run - 1
        is_position_end = word == window.words - 1
        step = Mux(is_line_end, Value.cast(window.next_line), Value.cast(one))
        moved: Any = Signal(distance.shape(), name="step")
        m.d.comb += Value.cast(moved).eq(step)
        further = add_address(m, distance, moved, self.banks, "further")
        number = group // per_slot if per_slot > 1 else group
        with m.If(goes | begins_pass):  # one enable for a clock gate
            with m.If(goes):
                with m.If(part == 0):
                    slot = slots[number]
                    m.d.sync += [
                        slot.is_there.eq(is_slot),
                        slot.ky.eq(ky),
                        slot.kx.eq(kx),
                        Value.cast(slot.distance).eq(Value.cast(distance)),
                    ]
                m.d.sync += [
                    part.eq(Mux(part == per_slot - 1, 0, part + 1)),
                    channel.eq(channel + self.many),
                    row.eq(row + self.many * window.window),
                ]
                with m.If(part == per_slot - 1):  # the next slot
                    m.d.sync += Value.cast(distance).eq(Value.cast(further))
                    m.d.sync += place_.eq(place_ + 1)
                    m.d.sync += word.eq(word + 1)
                    with m.If(is_position_end):
                        m.d.sync += [word.eq(0), kx.eq(kx + 1), place_row.eq(place_row + 1)]
                        m.d.sync += [channel.eq(0), row.eq(place_row + 1)]
                    with m.If(is_line_end):
                        line = line_row + window.kernel_width
                        m.d.sync += [place_.eq(0), word.eq(0), kx.eq(0), ky.eq(ky + 1)]
                        m.d.sync += [channel.eq(0), line_row.eq(line)]
                        m.d.sync += [place_row.eq(line), row.eq(line)]
            with m.If(begins_pass):
                m.d.sync += [place_.eq(0), word.eq(0), kx.eq(0), ky.eq(0), part.eq(0)]
                m.d.sync += [channel.eq(0), line_row.eq(0), place_row.eq(0), row.eq(0)]
                m.d.sync += Value.cast(distance).eq(0)
        return is_there, rows

    def _finish(
        self, m: Module, signs: RowSigns | None, group: Signal, goes: Signal, is_there: Signal
    ) -> None:
        """Where signs come out of the pipeline, the mask keeps some of them.

        Without signs its bits are the plane: 1 stands for +1, 0 for -1.
        """
        going = [goes]
        theres: list[Value] = [is_there]
        groups: list[Value] = [group]
        for stage in range(LATENCY):
            new = Signal(name=f"going_{stage}")
            there = Signal(self.many, name=f"there_{stage}", reset_less=True)
            number = Signal(group.shape(), name=f"group_{stage}", reset_less=True)
            m.d.sync += new.eq(going[-1])
            with m.If(going[-1]):
                m.d.sync += [there.eq(theres[-1]), number.eq(groups[-1])]
            going.append(new)
            theres.append(there)
            groups.append(number)

        address = Signal(range(max(self.mask_words, 2)), reset_less=True)
        start = Signal.like(address)  # of these channels
        m.d.comb += self.mask_address.eq(address)
        m.d.comb += self.mask_enable.eq(going[-2] & theres[-2][0])
        with m.If(self.mask_enable | self._begins_pass):
            m.d.sync += address.eq(Mux(self._begins_pass, start, address + 1))
        with m.If(self._begins_channels):
            if self.planes:  # those that are not used are passed over
                following = start + self.window.pass_words
                m.d.sync += [start.eq(following), address.eq(following)]
            else:
                m.d.sync += start.eq(address)
                m.d.sync += address.eq(address)
        with m.If(self.start):
            m.d.sync += [address.eq(self.window.mask), start.eq(self.window.mask)]

        m.d.comb += [self.weights.valid.eq(going[-1]), self.weights.group.eq(groups[-1])]
        for n in range(self.many):
            is_row = theres[-1][n].replicate(self.outputs)
            if signs is None:
                m.d.comb += self.weights.positive[n].eq(self.mask[n] & is_row)
                m.d.comb += self.weights.negative[n].eq(~self.mask[n] & is_row)
                continue
            kept = self.mask[n] & is_row
            m.d.comb += self.weights.positive[n].eq(kept & signs.signs[n])
            m.d.comb += self.weights.negative[n].eq(kept & ~signs.signs[n])
        is_last = groups[-1] == self.inputs // self.many - 1
        m.d.comb += self._ends_block.eq(going[-1] & is_last)
