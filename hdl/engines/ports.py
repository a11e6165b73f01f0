"""The ports that every engine has: weights and windows in, sums out."""

from abc import ABC, abstractmethod

from amaranth.hdl import Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.bitwise import BitwiseWeights

__all__ = ["WORD", "EngineComponent", "WeightWrite", "engine_members", "planes_of"]

WORD = 32
"""Weights in a word: consecutive output channels of one row."""


class WeightWrite(data.StructLayout):
    """One word of the weight generator: 32 weights of one row.

    ``row`` counts unrolled inputs, ``block`` groups of 32 outputs; bit b of ``positive`` and
    ``negative`` belongs to output 32·block + b.

    Of bitwise weights, which have ``planes``, it is ``bits`` of ``plane``.
    """

    def __init__(self, *, rows: int, outputs: int, planes: int = 0) -> None:
        place = {"row": range(rows), "block": range(-(-outputs // WORD))}
        if planes:
            super().__init__({"valid": 1, "plane": range(max(planes, 2)), **place, "bits": WORD})
        else:
            super().__init__({"valid": 1, **place, "positive": WORD, "negative": WORD})


def planes_of(config: Config, index: int | None = None) -> int:
    """Planes of the weights, or of those of a layer, where they are stored by plane; else 0."""
    weights = config.weights if index is None else config.weights_of(index)
    return weights.widths if isinstance(weights, BitwiseWeights) else 0


def engine_members(
    geometry: LayerGeometry, planes: int = 0, *, waits: bool = False
) -> dict[str, wiring.Member]:
    """Ports of every engine: weights and windows in, sums out.

    Of ``planes``, how many are used; where the weights wait, whether they are written.
    """
    sums = data.ArrayLayout(range(-geometry.peak, geometry.peak + 1), geometry.outputs)
    return {
        "weights": In(WeightWrite(rows=geometry.fan_in, outputs=geometry.outputs, planes=planes)),
        **({"written": Out(1)} if waits else {}),
        **({"used": In(range(planes + 1))} if planes else {}),
        "i": In(stream.Signature(data.ArrayLayout(geometry.input_bits, geometry.fan_in))),
        "o": Out(stream.Signature(sums)),
    }


class EngineComponent(wiring.Component, ABC):
    """Hardware that turns the windows of a layer into sums; an engine's is a subclass.

    Parameters
    ----------
    config : Config
    index : int
        The layer.
    waits : bool
        Whether a word of weights takes more than the cycle in which it comes.

    Members
    -------
    weights : ``In(WeightWrite)``
        The words of the weight generator, in its order, before the first window. Word 0 of row 0
        (of plane 0) begins anew.
    written : ``Out(1)``, of one that ``waits``
        The last cycle of a word of weights; it stays until then.
    used : ``In``, with bitwise weights
        Planes that sums are made of, 1 to all: taken with an image's first window.
    i : ``In(stream.Signature(ArrayLayout(input_bits, fan_in)))``
        A window, rows in the order of :func:`kakure.model.reference.stages.windows`.
    o : ``Out(stream.Signature(ArrayLayout(range(-peak, peak + 1), outputs)))``
        Its sums; they leave in the order of the windows.
    """

    weights: data.View
    written: Signal
    used: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, config: Config, index: int, waits: bool = False) -> None:
        self.config = config
        self.index = index
        self.waits = waits
        planes = planes_of(config, index)
        super().__init__(engine_members(config.geometry[index], planes, waits=waits))

    @property
    @abstractmethod
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
