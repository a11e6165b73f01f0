"""Planes of every layer of one network of bitwise weights: the least work at a bound on the loss.

Nothing is trained: the first planes of a layer are weights of their own, with scales of their own.
Held-out images in two halves: one orders and chooses, the other judges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import Config

from .certificate import Demand, require_images
from .paired import Paired, loss_bound

__all__ = [
    "Judged",
    "Measurements",
    "Planes",
    "Score",
    "Tried",
    "explore",
    "judged",
    "most_measurements",
    "work_of",
]

LEAST_RISE = 1e-9
"""What a layer loses at least: of those that lose nothing, more work saved is better [nat]."""

Planes = tuple[int, ...]
"""How many planes each layer uses."""


@dataclass(frozen=True)
class Score:
    """What a network says of images.

    Attributes
    ----------
    right : bool array (images,)
    entropy : float
        Mean cross-entropy of the labels [nat].
    """

    right: NDArray[np.bool_]
    entropy: float


@dataclass(frozen=True)
class Tried:
    """Planes of every layer, with their work and what the images that choose say."""

    planes: Planes
    work: int
    score: Score


@dataclass(frozen=True)
class Judged:
    """What is chosen, and what images that chose nothing say of it.

    Attributes
    ----------
    chosen : Tried
    bound : float
        The accuracy that is lost is at most this, at the confidence that was asked for; 0 of all
        planes.
    refused : Tried or None
        The next one of less work, which is not shown to keep the bound.
    refused_bound : float
    """

    chosen: Tried
    bound: float
    refused: Tried | None = None
    refused_bound: float = 0.0


def work_of(config: Config, planes: Planes) -> int:
    """Cycles of all layers for an image; UserError if no accelerator runs the network.

    Where one array works on them in turn, that is time; where each has an array of its own, some of
    which wait, it is what energy follows.
    """
    architecture = architecture_of(config.at(planes))
    architecture.check()
    return sum(architecture.layer_cycles)


class Measurements:
    """What the images that choose say of planes, each asked for once.

    Parameters
    ----------
    config : Config
        With bitwise weights, and an accelerator.
    score : callable
        What those images say.
    step : callable
        Called after each measurement.

    Attributes
    ----------
    most : Planes
        What the layers have.
    tried : dict of Planes to Tried
        All that was measured.
    """

    def __init__(
        self, config: Config, score: Callable[[Planes], Score], step: Callable[[], object] = int
    ) -> None:
        self.config = config
        self.most = tuple(config.weights_of(n).widths for n in range(len(config.layers)))
        self.tried: dict[Planes, Tried] = {}
        self._score = score
        self._step = step

    def of(self, planes: Planes) -> Tried:
        """Measure, if it is not known."""
        if planes not in self.tried:
            work = work_of(self.config, planes)
            self.tried[planes] = Tried(planes, work, self._score(planes))
            self._step()
        return self.tried[planes]


def lowered(planes: Planes, layer: int, to: int) -> Planes:
    """The same with so many planes of one layer."""
    return (*planes[:layer], to, *planes[layer + 1 :])


def explore(measurements: Measurements) -> None:
    """Measure every number of planes of all layers alike, and a descent from all planes to one.

    On the way down a layer at a time loses a plane. To order them, each layer is first lowered
    alone, to every number of planes. What several lose together is taken for the sum of what each
    loses alone, in cross-entropy, which is smoother than a count. The layer that loses least for
    the work that it saves is next.
    """
    of, most = measurements.of, measurements.most
    whole = of(most).score.entropy
    lost = [
        {to: of(lowered(most, layer, to)).score.entropy - whole for to in range(1, all_ + 1)}
        for layer, all_ in enumerate(most)
    ]
    for n in range(1, max(most)):
        of(tuple(min(n, all_) for all_ in most))
    here = of(most)
    while max(here.planes) > 1:
        following = [
            (layer, lowered(here.planes, layer, now - 1))
            for layer, now in enumerate(here.planes)
            if now > 1
        ]

        def cost(one: tuple[int, Planes], here: Tried = here) -> float:
            layer, planes = one
            now = here.planes[layer]
            rise = max(lost[layer][now - 1] - lost[layer][now], 0.0) + LEAST_RISE
            return rise / max(here.work - work_of(measurements.config, planes), 1)

        here = of(min(following, key=cost)[1])


def most_measurements(most: Planes) -> int:
    """How many :func:`explore` makes at most."""
    return 1 + 2 * (sum(most) - len(most)) + max(most) - 1


def judged(
    tried: Sequence[Tried],
    loss: float,
    demand: Demand,
    right: Callable[[Planes], NDArray[np.bool_]],
) -> Judged:
    """The last of a walk towards less work that is shown to keep the bound.

    The images that choose fix the walk: from the least cross-entropy on them to the largest, those
    that keep the bound there and take less work than any before, ``demand.steps`` at most. Each is
    put to the test on the images that judge, at the whole confidence, and the walk ends at the
    first that fails (:func:`kakure.search.phase2.certificate.certify` says why that is enough).

    Parameters
    ----------
    tried : sequence of Tried
        All planes first.
    loss : float
        Of accuracy, 0 to 1.
    demand : Demand
        Its ``parts`` are not looked at.
    right : callable
        Which of the images that judge are classified right.

    Raises
    ------
    Infeasible
        If there are too few images to show the bound at all.
    """
    whole = tried[0]
    reference = right(whole.planes)
    require_images(loss, demand, len(reference))
    walk: list[Tried] = []
    for one in sorted(tried[1:], key=lambda one: (one.score.entropy, one.work)):
        least = walk[-1].work if walk else whole.work
        kept = float(np.mean(whole.score.right) - np.mean(one.score.right)) <= loss
        if kept and one.work < least:
            walk.append(one)
    places = np.linspace(0, len(walk) - 1, min(demand.steps, len(walk))).round().astype(int)
    found = Judged(whole, 0.0)
    for place in places:
        one = walk[place]
        bound = loss_bound(Paired.of(reference, right(one.planes)), demand.confidence)
        if bound > loss:
            return Judged(found.chosen, found.bound, one, bound)
        found = Judged(one, bound)
    return found
