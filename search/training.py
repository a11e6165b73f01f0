"""Trainings as evaluations: pure functions of plain arguments, run in any process."""

import dataclasses
import fcntl
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from model.config import Config
from model.data import load_images
from model.recipe import recipe_for

from .layer_space import Option
from .parallel import Task
from .phase2.accuracy import Start, train_start
from .phase2.parts import KEPT, Part
from .space import Point, Space
from .store import Outcome, Store, key_of

__all__ = ["network_of", "score_task", "start_of"]


def network_of(space: Space, point: Point) -> Config:
    """The network of a point: its channels and precisions on the first crossbar of the space.

    Readouts of both types, and any sharing and number of copies, compute the same, so that one
    training does for all points of the same network.
    """
    layers = []
    for layer, choice in zip(space.layers, point.layers, strict=True):
        option = Option(choice.option.engine)
        if choice.option.engine == "crossbar":
            option = Option("crossbar", layer.adc_type[0], layer.column_sharing[0], layer.copies[0])
        layers.append(dataclasses.replace(choice, option=option))
    return space.config(Point(point.rows, space.crossbar.columns[0], tuple(layers)), "network")


def score_task(space: Space, point: Point, folder: Path, seed: int) -> Task:
    """Scoring the network of a point as the space's file asks."""
    network = network_of(space, point)
    arguments = {
        "config": network.model_dump_json(exclude={"dataset"}),
        "images": images_digest(network, folder),
        "score": space.effort.score,
        "epochs": space.effort.score_epochs,
        "seed": seed,
        "versions": training_versions(),
    }
    return Task("score", partial(score_network, network, folder), arguments)


def images_digest(config: Config, folder: Path) -> str:
    """SHA-256 of the training images and labels."""
    data = load_images(config, folder, "train")
    return sha256(data.images.tobytes() + data.labels.tobytes()).hexdigest()


def training_versions() -> dict[str, str]:
    """What a training's outcome depends on besides its arguments."""
    from importlib.metadata import version

    return {"torch": version("torch").partition("+")[0], "numpy": version("numpy")}


def score_network(
    network: Config, folder: Path, /, *, score: str, epochs: int, seed: int, **_: Any
) -> Outcome:
    """Score a network; with ln parameters and ln MACs beside."""
    import torch

    from .scores import Naswot, ShortTraining, judge, log_parameters

    torch.set_num_threads(1)
    images = load_images(network, folder, "train")
    ways: dict[str, Any] = {
        "training": lambda: judge(network, ShortTraining(images, epochs, seed)),
        "naswot": lambda: judge(network, Naswot(images, seeds=(seed, seed + 1, seed + 2))),
        "parameters": lambda: judge(network, _Size(log_parameters(network))),
    }
    return Outcome(dataclasses.asdict(ways[score]()))


@dataclasses.dataclass
class _Size:
    """The number of parameters itself as a score."""

    value: float
    name: str = "parameters"

    def __call__(self, config: Config) -> float:
        return self.value


def start_of(
    space: Space, point: Point, folder: Path, store: Store, *, seed: int, progress: bool = False
) -> Start:
    """The network of a point, trained at the precision that phase 1 assumes.

    Where only one part of the images shall judge precisions, it is trained without it. An
    interrupted training goes on after its last epoch; a finished one is in the store.
    """
    network = network_of(space, point)
    recipe = dataclasses.replace(recipe_for(space.dataset), epochs=space.effort.epochs)
    arguments = {
        "config": network.model_dump_json(exclude={"dataset"}),
        "images": images_digest(network, folder),
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "versions": training_versions(),
    }
    part = Part(0, KEPT) if space.effort.parts == 1 else None
    if part is not None:
        arguments |= {"part": part.index, "parts": part.of}
    found = store.get("start", arguments)
    if found is None:
        checkpoint = store.path.parent / "trainings" / f"{key_of('start', arguments)[:16]}.pt"
        checkpoint.parent.mkdir(exist_ok=True)
        with checkpoint.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another search on this store may train the same
            found = store.get("start", arguments)
            if found is None:
                start = train_start(
                    network,
                    folder,
                    recipe,
                    seed=seed,
                    checkpoint=checkpoint,
                    part=part,
                    progress=progress,
                )
                found = Outcome({"bytes": len(start.state)}, start.state)
                store.put("start", arguments, found)
                checkpoint.unlink()
    config = space.config(point, space.name)
    return Start(config, folder, recipe, found.data, part)
