"""How long and how a network is trained, and how its images are varied meanwhile."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

__all__ = ["FASTEST", "METHODS", "RIVALS", "Method", "Recipe", "Selection"]

Method = Literal["edge-popup", "biprop", "agreeing", "binary", "float"]
METHODS: tuple[Method, ...] = ("edge-popup", "biprop", "agreeing")
"""How a supermask is found: scores ranked by magnitude, begun uniform or as weights are; or latent
weights, kept where they agree with the sign."""

RIVALS: tuple[Method, ...] = ("binary", "float")
"""What is no supermask, to compare with: the signs of latent weights, which cost a bit as well, and
weights of floating point, which can teach."""

FASTEST = 1e30
"""Largest rate: what optimizers make of it still fits a 32-bit float."""

Selection = Literal["random", "support-vectors", "herding", "k-centre"]


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but its seed and its device.

    Attributes
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of SGD with Nesterov momentum 0.9; the rate falls to 0 along a cosine. Of Muon, the rate in
        units of a weight's root mean square; it falls to 0 along a line.
    smoothing : float
        Label smoothing.
    validation : int
        One training image of this many is held out to choose the epoch that is exported; 0 holds
        none out, and exports the last.
    keep : float
        Fraction of the training images that is trained with, those held out not counted.
    select : str
        How they are chosen: a name of :data:`kakure.model.reduction.table.SELECTIONS`.
    generated : float
        Images that a generator adds for each one that is trained with; it learns from those only.
    shift : float
        Largest displacement to each side [pixel].
    rotate : float
        Largest rotation to each side [degree].
    zoom : float
        Largest change of size, as a fraction.
    bend : float
        Largest local displacement, smooth over a third of the image [pixel].
    mirror : bool
        Whether left and right may change places.
    crop : int
        Largest displacement by whole pixels, what comes in is mirrored at the edge; with it,
        ``mirror`` changes half of the images in one epoch and the other half in the next [pixel].
    cutout : int
        Side of a square of mean grey somewhere in the image; 0 for none [pixel].
    method : str
        One of :data:`METHODS` or :data:`RIVALS`.
    optimizer : "sgd" or "muon"
        Of the scores; Muon orthogonalizes the momentum of a layer.
    warm_up : float
        Fraction of the steps in which the rate rises from 0.
    norm_rate : float
        Learning rate of BatchNorm's γ and β by Adam; 0 leaves them to SGD with the scores' rate.
    gamma : float
        What γ begins with.
    joined_gamma : float
        What it begins with where a shortcut joins.
    codes : float or None
        Codes per unit of BatchNorm's output; 2^(bits − 1) with None.
    average : float
        Decay per step of the average of all scores and BatchNorms that is judged and exported
        instead of the last ones; 0 for none.
    distillation : float
        Weight of the teacher's part of the loss, where there is a teacher: the divergence from what
        it says at ``temperature``; the labels have the rest.
    temperature : float
        By which the logits of both are divided.
    widths : int
        Precisions of bitwise weights that a step trains: all planes, one plane, and others by lot;
        what all planes say teaches the others. 1 trains with all planes only.
    precision : "float32" or "auto"
        ``auto`` trains in bfloat16 where the processor or GPU multiplies matrices of it.
    statistics : int
        Batches over which BatchNorm is estimated anew before every export.
    """

    epochs: Annotated[int, Field(ge=1, le=10**6)] = 40
    batch_size: Annotated[int, Field(ge=2, le=10**6)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=FASTEST)] = 0.1
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-4
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    validation: Annotated[int, Field(ge=0, le=10**6)] = 10
    keep: Annotated[float, Field(gt=0, le=1)] = 1.0
    select: Selection = "random"
    generated: Annotated[float, Field(ge=0, le=100)] = 0.0
    shift: Annotated[float, Field(ge=0, le=1024)] = 0.0
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.0
    bend: Annotated[float, Field(ge=0, le=1024)] = 0.0
    mirror: bool = False
    crop: Annotated[int, Field(ge=0, le=64)] = 0
    cutout: Annotated[int, Field(ge=0, le=1024)] = 0
    method: Method = "edge-popup"
    optimizer: Literal["sgd", "muon"] = "sgd"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    norm_rate: Annotated[float, Field(ge=0, le=FASTEST)] = 0.0
    gamma: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    joined_gamma: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    codes: Annotated[float, Field(gt=0, le=1e6)] | None = None
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    distillation: Annotated[float, Field(ge=0, le=1)] = 0.5
    widths: Annotated[int, Field(ge=1, le=8)] = 3
    temperature: Annotated[float, Field(gt=0, le=1000)] = 4.0
    precision: Literal["float32", "auto"] = "float32"
    statistics: Annotated[int, Field(ge=1, le=10**6)] = 40
