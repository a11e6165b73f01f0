"""Sizes of what makes blocks of weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, at_least, choose, range_bits

from .address_shape import BanksShape
from .row_signs_shape import LATENCY, RowSignsShape
from .widths import CHANNEL_BITS, COUNT_BITS, KERNEL_BITS, ROW_BITS

__all__ = ["BlockMakerShape"]


@dataclass(frozen=True)
class BlockMakerShape(BlockShape):
    """A maker of blocks of ``inputs`` for an array; ``word`` inputs of a slot, ``many`` a cycle."""

    inputs: Number
    outputs: Number
    word: Number
    many: Number
    rows: Number
    mask_words: Number

    kind = "block_maker"
    parameters = ("inputs", "outputs", "many", "banks", "address_bits", "mask_bits")
    repeated = frozenset({"outputs", "address_bits", "mask_bits"})

    @property
    def banks(self) -> Number:
        """Slots of a block."""
        return self.inputs // self.word

    @property
    def address_bits(self) -> Number:
        """Width of a distance."""
        return BanksShape(self.banks, self.rows).address_bits

    @property
    def mask_bits(self) -> Number:
        """Width of an address of the masks."""
        return range_bits(at_least(self.mask_words, 2))

    @property
    def _group_bits(self) -> Number:
        return range_bits(self.inputs // self.many)

    @property
    def _is_whole(self) -> Number:
        """1 where a group is a slot: every group begins one then."""
        return choose(self.word == self.many, 1, 0)

    @property
    def _slot_bits(self) -> Number:
        return 1 + 2 * KERNEL_BITS + self.address_bits

    @property
    def _input_bits(self) -> Number:
        return range_bits(self.inputs + 1)

    @property
    def _walk(self) -> Number:
        """Where the walk over slots and rows is."""
        counts = 3 * COUNT_BITS + 2 * CHANNEL_BITS + 1 + 3 * ROW_BITS
        return counts + self.address_bits + range_bits(self.word // self.many)

    @cached_property
    def flops(self) -> Number:
        """Passes and blocks, the walk, the slots, and what goes along with the signs' pipeline.

        Synthesis may leave out the lowest bits of a channel, which are 0 in a multiple of ``many``.
        """
        passes = 3 * COUNT_BITS + 4
        stages = LATENCY * (1 + self.many + self._group_bits)
        slots = self.banks * self._slot_bits
        group = self._group_bits + 1
        return passes + group + self._walk + slots + self._input_bits + stages + 2 * self.mask_bits

    @cached_property
    def gates(self) -> Number:
        """Of passes, the walk and its parts, each slot, the stages, and the masks' addresses."""
        stages = LATENCY * gated(self.many + self._group_bits)
        masks = 2 * gated(self.mask_bits)
        return 7 - self._is_whole + self.banks + stages + masks + gated(self._input_bits)

    @cached_property
    def free_flops(self) -> Number:
        """States, and the group; what is too narrow for a gate."""
        stage = self.many + self._group_bits
        narrow = LATENCY * stage * (1 - gated(stage))
        narrow = narrow + 2 * self.mask_bits * (1 - gated(self.mask_bits))
        narrow = narrow + self._input_bits * (1 - gated(self._input_bits))
        return 4 + self._group_bits + 1 + LATENCY + narrow

    @cached_property
    def terms(self) -> Terms:
        """Numbers of rows, what is kept of their signs, slots, addresses and counters."""
        many = 1.0 * self.many
        return {
            "row": many,
            "kept_bit": many * self.outputs,
            "slot": 1.0 * self.banks,
            "address_bit": 1.0 * self.address_bits,
            "odd_banks": BanksShape(self.banks, self.rows).odd_banks,
            "mask_bit": 1.0 * self.mask_bits,
            "product_bit": 1.0 * self._input_bits * range_bits(self.outputs + 1),
            "held_bit": 1.0 * self.free_flops,
            "one": np.ones(np.shape(many)),
        }

    def children(self) -> Iterator[Child]:
        """What makes the signs."""
        yield Child("signs", RowSignsShape(self.outputs, self.many))
