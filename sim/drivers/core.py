"""A whole core in the Amaranth simulator: its results, and the cycles in which they end."""

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters, random_parameters
from kakure.model.reference.network import network
from kakure.sim.runner.golden import pack_image

from .streams import receive, send, simulate, watch

__all__ = ["CoreRun", "compare_core", "frame", "run_core"]


SHOWN = 4
"""Cycles after which what is counted shows."""


@dataclass(frozen=True)
class CoreRun:
    """What a core did.

    Attributes
    ----------
    loading : int
        Cycles from the first word of the supermask image to its last, both included.
    logits : int64 array, (images, classes)
    results : tuple of int
        As :class:`kakure.hdl.accelerators.image_timing.ImageTiming`, of the images that were
        sent without gaps.
    own : dict of str to int
        What the core's own registers show in the end.
    """

    loading: int
    logits: NDArray[np.int64]
    results: tuple[int, ...]
    own: dict[str, int]


def frame(words: list[int]) -> list[dict[str, int]]:
    """Payloads of a core, ``last`` with the last of the words."""
    return [{"word": word, "last": n == len(words) - 1} for n, word in enumerate(words)]


def run_core(
    config: Config,
    parameters: Parameters,
    images: NDArray[np.uint8],
    *,
    gaps: int = 0,
    rng: Random | None = None,
    tried: int = 0,
    threshold: int = 0,
    deadline: int,
) -> CoreRun:
    """Load the parameters and send images (n, height, width, channels).

    Parameters
    ----------
    gaps : int
        That many of the images come last, with pauses on both sides of the core.
    rng : Random
        Makes the pauses; without it there are none.
    tried, threshold : int
        What the registers PLANES and THRESHOLD say of bitwise weights.
    deadline : int
        Cycles after which the simulation is given up.
    """
    architecture = architecture_of(config)
    core = architecture.core()
    classes = config.geometry[-1].outputs
    supermask = [word for section in architecture.sections(parameters) for word in section]
    head = frame(supermask)
    parts = [(images[: len(images) - gaps], None), (images[len(images) - gaps :], rng)]
    cycle = 0
    begin = 0
    taken: list[tuple[int, Any]] = []
    sent: list[tuple[int, Any]] = []
    own: dict[str, int] = {}

    async def count(ctx: Any) -> None:
        nonlocal cycle
        async for _ in ctx.tick():
            cycle += 1

    async def drive(ctx: Any) -> None:
        nonlocal begin
        if tried:
            ctx.set(core.tried, tried)
            ctx.set(core.threshold, threshold)
        await send(ctx, core.i, head)
        while cycle < architecture.settle_cycles:
            await ctx.tick()
        begin = cycle
        for part, pauses in parts:
            words = [word for image in part for word in frame(pack_image(image))]
            await send(ctx, core.i, words, pauses)

    async def take(ctx: Any) -> None:
        for part, pauses in parts:
            await receive(ctx, core.o, classes * len(part), pauses)
        await ctx.tick().repeat(SHOWN)
        for register in core.own_registers:
            own[register.name] = ctx.get(core.own[register.name])

    monitors = (count, watch(core.i, sent), watch(core.o, taken))
    simulate(core, drive, take, monitors=monitors, deadline=deadline)
    logits = np.array([payload.word for _, payload in taken], np.uint32).astype(np.int32)
    ends = [cycle - begin + 1 for cycle, payload in taken if payload.last]
    return CoreRun(
        loading=sent[len(head) - 1][0] + 1 - sent[0][0],
        logits=logits.astype(np.int64).reshape(len(images), classes),
        results=tuple(ends[: len(parts[0][0])]),
        own=own,
    )


def compare_core(config: Config, *, images: int, gaps: int, seed: int, planes: int = 0) -> None:
    """Hold a core with random parameters and images against the reference and the formulas.

    ``images`` at full rate, then ``gaps`` more with pauses; with so many ``planes`` of bitwise
    weights, or all.

    Raises
    ------
    AssertionError
        If a logit or a cycle count differs.
    """
    parameters = random_parameters(config, seed)
    shape = (images + gaps, *config.shape)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    architecture = architecture_of(config)
    used = config.at(planes) if planes else config
    cycles = architecture_of(used).timing(images).results
    loading = architecture.loading_cycles(parameters)
    run = run_core(
        config,
        parameters,
        pixels,
        gaps=gaps,
        rng=Random(seed),
        tried=1 << (planes - 1) if planes else 0,
        deadline=100 + loading + architecture.settle_cycles + 4 * (1 + gaps) * cycles[-1],
    )
    expected = network(used, parameters.at(planes) if planes else parameters, pixels)
    assert (run.logits == expected).all(), f"logits must be {expected}, not {run.logits}"
    assert run.results == cycles, f"results must end in cycles {cycles}, not {run.results}"
    assert run.loading == loading, f"loading must take {loading} cycles, not {run.loading}"
    for name, each in architecture_of(used).counts.items():
        found = run.own[name] if name in run.own else _wide(run.own, name)
        assert found == each * (images + gaps), (
            f"{name} must be {each} an image, not {found} in all"
        )


def _wide(own: dict[str, int], name: str) -> int:
    """A number of two registers."""
    return own[f"{name}_HIGH"] << 32 | own[f"{name}_LOW"]
