"""A linear student as a network of one layer of bitwise weights, which all hardware computes."""

import json

import numpy as np

from kakure.model.config.config import Config, parse_config
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import LayerParameters, Parameters, Scales
from kakure.model.reference.crossbar import bitwise_planes, bitwise_value
from kakure.model.reference.stages import windows
from kakure.model.training.folding import fold_logits, share_scale

from .student import Floats, Predictor

__all__ = ["affine_of", "linear_network"]

PIXEL_BITS = 8
"""Width of a pixel [bit]."""
PIXEL = (1 << PIXEL_BITS) - 1
"""What a student sees as 1."""


def affine_of(student: Predictor, features: int) -> tuple[Floats, Floats]:
    """W (classes, features) and b (classes,) of a student whose scores are W·x + b.

    Raises
    ------
    UserError
        If they are not, as those of trees.
    """
    zero = np.zeros((1, features))
    bias = np.asarray(student(zero), np.float64)[0]
    weights = (np.asarray(student(np.eye(features)), np.float64) - bias).T
    probe = np.random.default_rng(1).random((16, features))
    if not np.allclose(student(probe), probe @ weights.T + bias, rtol=1e-3, atol=1e-3):
        raise UserError("must be linear in the pixels to become a layer", where=("student",))
    return weights, bias


def linear_network(
    weights: Floats, bias: Floats, teacher: Config, data: LabelledImages, *, bits: int = 8
) -> tuple[Config, Parameters]:
    """The network that gives a linear student's scores at any of 1 to ``bits`` planes.

    A weight is the odd integer nearest to 2^bits·w / reach, reach the largest magnitude of its
    class; a score's scale and the bias go into M and B.

    Parameters
    ----------
    weights, bias : float array (classes, features), (classes,)
        Of pixels in the order (height, width, channels), 0 to 1.
    teacher : Config
        Whose images it sees; the network has its name, with ``-student``.
    data : LabelledImages
        Tell where the sums lie.
    bits : int, 1 to 8
    """
    classes = len(bias)
    config = _config(teacher, classes, bits)
    rows = weights.reshape(classes, *config.shape).transpose(3, 1, 2, 0).reshape(-1, classes)
    reach = np.maximum(np.abs(rows).max(0), np.finfo(np.float32).tiny)
    half = 1 << (bits - 1)
    codes = np.clip(np.floor((rows / reach + 1) * half), 0, 2 * half - 1).astype(np.int64)
    x = windows(data.images, *config.shape[:2], 0).reshape(len(data), -1).astype(np.float64)

    def at(planes: int, most: int) -> Scales:
        sums = x @ bitwise_value(codes, bits, planes).astype(np.float64)
        geometry = config.at(planes).geometry[0]
        return fold_logits(
            reach / (PIXEL << planes),
            np.asarray(bias, np.float64),
            np.full(classes, geometry.peak, np.int64),
            mean=sums.mean(0),
            deviation=sums.std(0),
            most=most,
        )

    scales, power = share_scale(lambda most: [at(n, most) for n in range(1, bits + 1)])
    first, *others = (plane.astype(bool) for plane in bitwise_planes(codes, bits))
    *coarser, full = scales
    layer = LayerParameters(first, *full.parts, tuple(others), tuple(coarser))
    return config, Parameters((layer,), {"logit_shift": str(power)})


def _config(teacher: Config, classes: int, bits: int) -> Config:
    name = f"{teacher.name[:56]}-student"
    layer = {"kind": "linear", "channels": classes, "engine": "pe_array", "input_bits": PIXEL_BITS}
    data = {
        "name": name,
        "dataset": teacher.dataset,
        "weights": {"kind": "bitwise", "bits": bits},
        "pe_array": {"inputs": 16, "outputs": min(classes, 256), "pixels": 1},
        "layers": [layer],
        "parameters": f"{name}.safetensors",
    }
    if teacher.input_shape is not None:
        data["input_shape"] = teacher.input_shape
    return parse_config(json.dumps(data), name)
