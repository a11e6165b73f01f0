"""Trainings as evaluations: pure functions of plain arguments, run in any process."""

import dataclasses
from functools import partial
from pathlib import Path

from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import Split
from kakure.model.files.work_folder import held
from kakure.model.provenance import array_digest, sources, tools
from kakure.model.training.recipe import recipe_for
from kakure.model.training.trainer import TOOLS as TRAINING_TOOLS
from kakure.search.phase2.parts import KEPT, Part
from kakure.search.phase2.start import Start, train_start
from kakure.search.space.layer_space import Option
from kakure.search.space.point import Hardware, Point
from kakure.search.space.space import Space
from kakure.search.store.store import Store, key_of
from kakure.search.store.task import Outcome, Task

from .scores import score_network

__all__ = ["network_of", "score_task", "start_of"]


def network_of(space: Space, point: Point) -> Config:
    """The network of a point: its channels and precisions on the first crossbar of the space.

    Readouts of both types, any cells, sharing and number of copies, and any array on which layers
    take turns compute the same, so that one training does for all points of the same network.
    """
    layers = []
    for layer, choice in zip(space.layers, point.layers, strict=True):
        option = Option(choice.option.engine)
        if choice.option.engine == "crossbar":
            option = Option("crossbar", layer.adc_type[0], layer.column_sharing[0], layer.copies[0])
        layers.append(dataclasses.replace(choice, option=option))
    tiles = space.crossbar
    hardware = Hardware(point.hardware.rows, tiles.columns[0], cells=tiles.cells[0])
    return space.config(Point(hardware, tuple(layers)), "network")


def score_task(space: Space, point: Point, folder: Path, seed: int) -> Task:
    """Scoring the network of a point as the space's file asks."""
    network = network_of(space, point)
    arguments = {
        "config": network.model_dump_json(exclude={"dataset"}),
        "images": images_digest(network, folder, "train"),
        "recipe": dataclasses.asdict(recipe_for(network.dataset)),
        "score": space.effort.score,
        "epochs": space.effort.score_epochs,
        "seed": seed,
    }
    function = partial(score_network, network, folder)
    return Task("score", function, arguments, ("kakure.search.rounds.scores",), TRAINING_TOOLS)


def images_digest(config: Config, folder: Path, split: Split) -> str:
    """Digest of the images and labels of ``train`` or ``test``."""
    data = load_images(config, folder, split)
    return array_digest(data.images, data.labels)


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
        "images": images_digest(network, folder, "train"),
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "sources": sources("kakure.search.phase2.accuracy"),
        "tools": tools(*TRAINING_TOOLS),
    }
    part = Part(0, KEPT) if space.effort.parts == 1 else None
    if part is not None:
        arguments |= {"part": part.index, "parts": part.of}
    found = store.get("start", arguments)
    if found is None:
        checkpoint = store.path.parent / "trainings" / f"{key_of('start', arguments)[:16]}.pt"
        checkpoint.parent.mkdir(exist_ok=True)
        lock = checkpoint.with_suffix(".lock")  # another search on this store may train the same
        with held(lock, f"it trains {checkpoint.stem}"):
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
