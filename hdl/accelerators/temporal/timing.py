"""Exact cycles of the temporal accelerator's operations.

Three walk over the same blocks, and wait for each other: what makes weights, what reads windows,
and the array. Each step's cycles follow from those of the step before.
"""

from dataclasses import dataclass

from .program import LayerOperation, SumOperation
from .row_signs_shape import LATENCY
from .summer import sum_cycles
from .target import pace_of

__all__ = ["Work", "layer_work", "operation_cycles"]


@dataclass(frozen=True)
class Work:
    """What the array does in the cycles of a layer, from the one after ``start`` to the last.

    Attributes
    ----------
    computes : int
        It adds up products.
    waits_weights, waits_windows, waits_results : int
        It waits for weights; for activations to be read; for its sums to be taken.
    """

    computes: int
    waits_weights: int
    waits_windows: int
    waits_results: int

    @property
    def cycles(self) -> int:
        """All of them."""
        return self.computes + self.waits_weights + self.waits_windows + self.waits_results


class _Walk:
    """Where the three are, in cycles from ``start`` on.

    Attributes
    ----------
    made : int
        The first cycle in which the next block is complete.
    read : int
        The cycle after the one in which the last word was asked for.
    taken, free : int
        The cycle in which the array took the last step, and the first one for another.
    """

    def __init__(self, operation: LayerOperation) -> None:
        array = operation.array
        self.make = array.inputs // array.many + LATENCY + 1
        self.made = self.make
        self.read = 0
        self.taken = -1
        self.free = 0
        self.computes = self.waits_weights = self.waits_results = 0
        self.waits_windows = -1  # the cycle of ``start`` is not counted

    def step(self, words: int, planes: int, drain: int, weights: int = 0) -> None:
        """A step: ``words`` to read, ``planes`` to add while sums are sent; not before weights."""
        self.read = max(self.read, self.taken) + words
        self.taken = max(self.read, self.free, weights)
        offered = max(self.read, self.free)
        self.waits_windows += offered - self.free
        self.waits_weights += self.taken - offered
        length = max(planes, drain)
        self.computes += planes
        self.waits_results += length - planes
        self.free = self.taken + length

    @property
    def counts(self) -> tuple[int, ...]:
        """All that only grows."""
        waits = self.waits_weights, self.waits_windows, self.waits_results
        return self.free, self.computes, *waits

    def repeat(self, before: tuple[int, ...], times: int) -> None:
        """Do so often again what was done since ``counts`` were those, the last blocks included."""
        grown = [times * (now - old) for now, old in zip(self.counts, before, strict=True)]
        cycles, computes, weights, windows, results = grown
        self.read += cycles
        self.taken += cycles
        self.free += cycles
        self.computes += computes
        self.waits_weights += weights
        self.waits_windows += windows
        self.waits_results += results

    def block(self, slots: int, steps: list[tuple[int, int]], pixels: int) -> None:
        """A block whose slots are taken in a cycle, and the planes and sums of its steps."""
        weights = self.made
        self.step(pixels, *steps[0], weights)
        self.made = max(self.taken, slots) + self.make
        for planes, drain in steps[1:]:
            self.step(pixels, planes, drain)


def layer_work(operation: LayerOperation) -> Work:
    """What the array does between ``start`` and the first cycle of ``is_done``."""
    pixels, pace = operation.array.pixels, pace_of(operation)
    planes = operation.digit_planes
    is_apart = operation.added is not None and operation.added.memory == operation.source.memory
    drain = pixels * pace
    walk = _Walk(operation)
    asks = 1  # from which cycle on the reader waits for slots; else it goes on without a pause
    old = 0

    def walk_positions() -> None:
        """All positions for the channels of a pass."""
        nonlocal asks, old
        for position_pass in range(operation.position_passes):
            now = operation.batches(position_pass)
            for block in range(operation.planes * operation.blocks):
                if block and not asks and walk.made < walk.read:
                    slots = walk.read - 1  # with the last word of the block before
                else:
                    slots = max(asks or walk.read, walk.made)
                    walk.read = slots + 1
                asks = 0
                steps = [
                    (many, drain if block == digit == 0 and batch < old else 0)
                    for batch in range(now)
                    for digit, many in enumerate(planes)
                ]
                walk.block(slots, steps, pixels)
                for _ in range(now, old if block == 0 else now):
                    walk.step(1, 0, drain)
                    asks = walk.read
            old = now
            asks = walk.read + 1
            if is_apart:
                walk.read += 1
                for _ in range(old):
                    walk.step(1, 0, drain)
                asks = max(walk.read, walk.taken + 2 + drain) + 1
                old = 0

    # What is to come depends on where the three are to each other: once a pass begins as the one
    # before did, all others are like that one.
    before, counts = (), ()
    for channel_pass in range(operation.channel_passes):
        state = (*(cycle - walk.free for cycle in (walk.made, walk.read, walk.taken, asks)), old)
        if state == before:
            walk.repeat(counts, operation.channel_passes - channel_pass)
            break
        before, counts = state, walk.counts
        walk_positions()
    if old:
        walk.read += 1
        for _ in range(old):
            walk.step(1, 0, drain)
    ends = walk.taken + max(2 + drain, _finish(operation, pace))
    walk.waits_results += ends - walk.free
    return Work(walk.computes, walk.waits_weights, walk.waits_windows, walk.waits_results)


def _finish(operation: LayerOperation, pace: int) -> int:
    """Cycles from the one that takes the last step to the first one after the last word."""
    g, array = operation.geometry, operation.array
    complete = 2 + (operation.positions - 1) % array.pixels * pace
    if operation.target is None:
        return complete + 4
    parts = array.outputs // array.word
    words = -(-g.outputs // array.word) - (operation.channel_passes - 1) * parts
    reads = 1 if operation.added is None else words * operation.added.digits
    return complete + reads + 4 + words * operation.target.digits


def operation_cycles(operation: LayerOperation | SumOperation) -> int:
    """Cycles from the one of ``start`` to the first one of ``is_done``."""
    if isinstance(operation, SumOperation):
        return sum_cycles(operation) + 1
    return layer_work(operation).cycles + 1
