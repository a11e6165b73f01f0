"""Exact cycle counts of the spatial accelerator, from the configuration alone.

Every stage of the pipeline is a small recurrence over the items that pass it: ``push(t)`` offers
an item from cycle t on and returns the cycle in which the stage takes it. What the stage sends on
is pushed into the next stage first, as a stage waits while its result does. The hardware is
tested to agree to the cycle.
"""

from collections import deque
from collections.abc import Sequence

from kakure.hdl.accelerators.image_timing import ImageTiming
from kakure.hdl.engines.engine import Push
from kakure.hdl.engines.pe_array.schedule import PeSchedule
from kakure.hdl.engines.pe_array.timing import PeArrayTiming
from kakure.hdl.engines.table import engine_of
from kakure.hdl.stages.requantizer_shape import least_lanes
from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry

from .pipeline import check_pipeline

__all__ = ["dynamic_timing", "image_timing", "padding_cycles", "requantizer_lanes"]

REQUANTIZER_DEPTH = 3
"""Cycles from the one that takes a vector to the one that offers its result."""


def requantizer_lanes(config: Config, index: int) -> int:
    """Multipliers of a layer: as few as are no slower than its engine at its coarsest precision."""
    geometry = config.geometry[index]
    cycles = engine_of(config.at(1), index).cycles_per_vector * geometry.pool**2
    return int(least_lanes(geometry.outputs, cycles))


def padding_cycles(config: Config) -> int:
    """Cycles from a reset until every layer has walked the zeros before its first pixel.

    :func:`image_timing` holds for a first image that comes no earlier. Loading the weights takes
    longer, but for few weights on a map that is many times as wide as its windows are large.
    """
    return max(g.padding * (g.padded_width + 1) for g in config.geometry)


class _Window:
    """Steps over the padded map; a step waits for the last window to be taken."""

    def __init__(self, geometry: LayerGeometry, following: Push) -> None:
        self.geometry = geometry
        self.following = following
        self.position = 0
        self.free = 0
        self._run_padding()
        self.free = 0  # the zeros before the first pixel are walked before it comes

    def push(self, offered: int) -> int:
        taken = self._step(max(offered, self.free))
        self._run_padding()
        return taken

    def _step(self, cycle: int) -> int:
        g = self.geometry
        y, x = divmod(self.position, g.padded_width)
        self.position = (self.position + 1) % (g.padded_height * g.padded_width)
        self.free = cycle + 1
        if self._completes(y - g.kernel_height + 1) and self._completes(x - g.kernel_width + 1):
            self.free = self.following(cycle + 1)
        return cycle

    def _completes(self, begin: int) -> bool:
        """Whether a window begins at a coordinate of the padded map."""
        return begin >= 0 and begin % self.geometry.stride == 0

    def _run_padding(self) -> None:
        g = self.geometry
        while True:
            y, x = divmod(self.position, g.padded_width)
            is_row = g.padding <= y < g.padding + g.in_height
            if is_row and g.padding <= x < g.padding + g.in_width:
                return
            self._step(self.free)


class _SumPool:
    """Takes a pixel a cycle; waits while the sums of a map are not taken."""

    def __init__(self, positions: int, following: Push) -> None:
        self.positions = positions
        self.following = following
        self.position = 0
        self.free = 0

    def push(self, offered: int) -> int:
        taken = max(offered, self.free)
        self.free = taken + 1
        self.position = (self.position + 1) % self.positions
        if self.position == 0:
            self.free = self.following(taken + 1)
        return taken


class _Pool:
    """Takes an item a cycle; waits while a block's maximum is not taken."""

    def __init__(self, geometry: LayerGeometry, following: Push) -> None:
        self.geometry = geometry
        self.following = following
        self.position = 0
        self.free = 0

    def push(self, offered: int) -> int:
        g = self.geometry
        taken = max(offered, self.free)
        self.free = taken + 1
        y, x = divmod(self.position, g.out_width)
        self.position = (self.position + 1) % (g.out_height * g.out_width)
        if y % g.pool == x % g.pool == g.pool - 1:
            self.free = self.following(taken + 1)
        return taken


class _Requantizer:
    """A pipeline that stands still in the cycles in which a result is offered and not taken.

    The network's result waits until the whole image was taken: where ``is_held``, a result is
    pushed on by :meth:`send` and not before.
    """

    def __init__(self, chunks: int, following: Push, *, is_held: bool = False) -> None:
        self.chunks = chunks
        self.following = following
        self.is_held = is_held
        self.free = 0
        self.result = 0
        self.frozen: deque[tuple[int, int]] = deque(maxlen=REQUANTIZER_DEPTH + 2)

    def push(self, offered: int) -> int:
        taken = self._advance(max(offered, self.free), self.chunks)
        self.free = taken + 1
        result = self._advance(taken + 1, REQUANTIZER_DEPTH - 1) + 1
        if self.is_held:
            self.result = result
        else:
            self._send(result)
        return taken

    def send(self, offered: int = 0) -> None:
        """Push on the result that is held, before anything else comes, and not before a cycle."""
        self._send(self.result, offered)

    def drop(self, cycle: int) -> None:
        """Take the result that is held in a cycle, and push nothing on."""
        self.frozen.append((self.result, cycle))

    def _send(self, result: int, offered: int = 0) -> None:
        self.frozen.append((result, self.following(max(result, offered))))

    def _advance(self, cycle: int, steps: int) -> int:
        """The cycle of the last of ``steps`` steps, the first of which may be in ``cycle``."""
        cycle -= 1
        for _ in range(steps):
            cycle += 1
            for start, end in self.frozen:
                if start <= cycle < end:
                    cycle = end
        return cycle


class _Sender:
    """Sends a result word by word, once the image that it belongs to was taken as a whole.

    ``owed`` is the first cycle in which that is so.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.owed = 0
        self.free = 0
        self.results: list[int] = []

    def push(self, offered: int) -> int:
        taken = max(offered, self.free, self.owed) + self.classes - 1
        self.free = taken + 1
        self.results.append(self.free)
        return taken


def image_timing(config: Config, images: int = 1) -> ImageTiming:
    """Cycle counts for ``images`` images in a row.

    Exact: the accelerator's CYCLES register after each result, where the first image comes at
    least :func:`padding_cycles` after the reset.

    Raises
    ------
    UserError
        If the layers are no chain.
    """
    check_pipeline(config)
    sender = _Sender(config.geometry[-1].outputs)
    last, push = _chain(config, sender)
    pixels = config.shape[0] * config.shape[1]
    free = 0
    for _ in range(images):
        for _ in range(pixels):
            free = push(free + config.shape[2] - 1) + 1
        sender.owed = free  # the cycle after the last word was taken
        last.send()
    return ImageTiming(tuple(sender.results))


def dynamic_timing(config: Config, passes: Sequence[Sequence[int]], last: int) -> ImageTiming:
    """Cycle counts for images that are tried with one number of planes after the other.

    Parameters
    ----------
    config : Config
        With bitwise weights.
    passes : sequence of sequence of int
        Planes that each image is tried with, at least one.
    last : int
        The largest number of planes that is asked for: its result is not judged.

    Raises
    ------
    UserError
        If the layers are no chain.
    """
    check_pipeline(config)
    classes = config.geometry[-1].outputs
    last = 0 if classes == 1 else last  # the first result counts, and no image is kept
    sender = _Sender(classes)
    stages: dict[int, PeArrayTiming] = {}
    requantizer, push = _chain(config, sender, stages)
    pixels = config.shape[0] * config.shape[1]
    free = 0
    for planes in passes:
        for number, used in enumerate(planes):
            for index, stage in stages.items():
                stage.schedule = PeSchedule(config.at(used), index)
            for _ in range(pixels):
                free = push(free + config.shape[2] - 1) + 1
            if number == 0:
                sender.owed = free
            judged = max(requantizer.result, free) + classes
            if number < len(planes) - 1:
                requantizer.drop(judged)
                free = judged + 1
            else:
                requantizer.send(judged if used < last else 0)
        if planes[0] < last:  # the next image waits for the result
            free = max(free, sender.free)
    return ImageTiming(tuple(sender.results))


def _chain(
    config: Config, sender: _Sender, stages: dict[int, PeArrayTiming] | None = None
) -> tuple[_Requantizer, Push]:
    """The last requantizer, and what takes the pixels of images.

    With ``stages`` all engines are PE arrays, and their timings are put there, by layer.
    """
    push: Push = sender.push
    requantizers: list[_Requantizer] = []
    for geometry in reversed(config.geometry):
        lanes = requantizer_lanes(config, geometry.index)
        chunks = -(-geometry.outputs // lanes)
        requantizers.append(_Requantizer(chunks, push, is_held=not requantizers))
        push = requantizers[-1].push
        if geometry.pool > 1:
            push = _Pool(geometry, push).push
        if stages is None:
            push = engine_of(config, geometry.index).timing(push)
        else:
            stage = PeArrayTiming(PeSchedule(config, geometry.index), push)
            stages[geometry.index] = stage
            push = stage.push
        push = _Window(geometry, push).push
        if geometry.summed is not None:
            push = _SumPool(geometry.summed.positions, push).push
    return requantizers[0], push
