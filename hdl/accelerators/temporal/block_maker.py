"""What makes the weights of one block after another, and says which words its windows read."""

from typing import Any, ClassVar

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place

from .block_layout import made_layout, slot_layout, window_layout
from .block_maker_shape import BlockMakerShape
from .block_passes import BlockPasses
from .block_rows import BlockRows
from .mask_walk import MaskWalk
from .row_pipeline import RowPipeline
from .row_signs import RowSigns

__all__ = ["BlockMaker"]


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
        window, planes = self.window, self.planes
        passes = BlockPasses(
            window=window, used=self.used if planes else None, outputs=self.outputs, planes=planes
        )
        rows = BlockRows(
            window=window, inputs=self.inputs, word=self.word, many=self.many, rows=self.rows
        )
        stages = RowPipeline(rows)
        masks = MaskWalk(window=window, mask_words=self.mask_words, planes=planes)

        passes.build(
            m,
            start=self.start,
            weights=(self.has_weights, self.takes_weights),
            slots=(self.has_slots, self.takes_slots),
        )
        begins = passes.begins
        rows.build(m, begins=begins, begins_pass=begins & passes.begins_rows, slots=self.slots)
        signs = None if planes else self._signs(m, platform, passes, rows)
        stages.build(m)
        m.d.comb += self.mask_address.eq(masks.address)
        m.d.comb += self.mask_enable.eq(stages.goes[-2] & stages.is_there[-2][0])
        masks.build(m, start=self.start, reads=self.mask_enable, passes=passes)
        self._weigh(m, signs, stages)
        is_last = stages.group[-1] == rows.groups - 1
        m.d.comb += passes.ends_block.eq(stages.goes[-1] & is_last)
        self._count(m, passes, rows)
        return m

    def _signs(
        self, m: Module, platform: Platform | None, passes: BlockPasses, rows: BlockRows
    ) -> Any:
        """Signs of rows, as many cycles later as their pipeline has stages."""
        signs = RowSigns(outputs=self.outputs, many=self.many)
        m.submodules.signs = place(signs, platform)
        m.d.comb += [
            signs.prefix.eq(self.window.prefix),
            signs.restart.eq(self.start),
            signs.advance.eq(passes.advances),
            signs.valid.eq(rows.goes & rows.is_there.any()),
            *(signs.rows[n].eq(row) for n, row in enumerate(rows.rows)),
        ]
        return signs.signs

    def _weigh(self, m: Module, signs: Any, stages: RowPipeline) -> None:
        """Give the weights of rows whose signs are there: the mask keeps some of them.

        Without signs the bits of the mask are the plane: 1 stands for +1, 0 for −1.
        """
        weights = self.weights
        m.d.comb += [weights.valid.eq(stages.goes[-1]), weights.group.eq(stages.group[-1])]
        for n in range(self.many):
            is_row = stages.is_there[-1][n].replicate(self.outputs)
            if signs is None:
                m.d.comb += weights.positive[n].eq(self.mask[n] & is_row)
                m.d.comb += weights.negative[n].eq(~self.mask[n] & is_row)
                continue
            kept = self.mask[n] & is_row
            m.d.comb += weights.positive[n].eq(kept & signs[n])
            m.d.comb += weights.negative[n].eq(kept & ~signs[n])

    def _count(self, m: Module, passes: BlockPasses, rows: BlockRows) -> None:
        """Count the weights of the block."""
        inputs = Signal(range(self.inputs + 1), reset_less=True)
        with m.If(rows.goes | passes.begins):
            many = sum(rows.is_there[n] for n in range(self.many))
            m.d.sync += inputs.eq(Mux(passes.begins, 0, inputs + many))
        m.d.comb += self.made.eq(inputs * passes.outputs)
