"""One layer by the kernel."""

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.parameters.parameters import LayerParameters

from .cells import packed_cells
from .kernel import EXACT, ROUNDING, SATURATING, Layer, Scaling, address
from .matrix_layer import MOST_EXACT, MatrixLayer
from .plain_layer import PlainLayer
from .readout import READOUTS, Readout
from .window import WORD, PackedWindow

__all__ = ["PackedLayer", "layer_of"]

IntArray = NDArray[np.integer]

PLANES = 16
"""Words that the kernel wants for each of a window: planes of the windows that it works on."""


class PackedLayer(PlainLayer):
    """A layer with weights in {−1, 0, 1} and sums below 2^31, by the kernel.

    Counts that the readout cannot change, whatever the inputs, are added up without it.

    Parameters
    ----------
    plain : PlainLayer
        The same layer.
    readout : Readout or None
        Of the engine's counts; None where its sums are exact.
    kernel : ctypes.CDLL
    """

    def __init__(self, plain: PlainLayer, readout: Readout | None, kernel: ctypes.CDLL) -> None:
        super().__init__(plain.config, plain.geometry, plain.parameters, plain.weights)
        geometry, parameters = self.geometry, self.parameters
        self.kernel = kernel
        if readout is not None and readout.is_exact_for(self.weights, geometry.groups):
            readout = None
        window = PackedWindow(geometry, (geometry.fan_in,) if readout is None else geometry.groups)
        self.pieces = window.pieces
        self.cells = packed_cells(window, self.weights, kernel.lanes())
        self.layer = _layer(geometry, window, readout)
        self.layer.pieces = len(self.pieces)
        self.layer.piece, self.layer.cells = address(self.pieces), address(self.cells)
        scales = (parameters.multiplier, parameters.offset, parameters.shift)
        self.scales = [np.ascontiguousarray(scale, np.int64) for scale in scales]
        self.scaling = _scaling(geometry)
        self.scaling.multiplier, self.scaling.offset, self.scaling.shift = map(address, self.scales)

    @property
    def mode(self) -> int:
        """How counts are read out: ``EXACT``, ``SATURATING`` or ``ROUNDING``."""
        return self.layer.mode

    def sums(self, x: IntArray) -> IntArray:
        """Accumulators before the pool, (n, h, w, c) -> (n, h', w', outputs)."""
        geometry, layer = self.geometry, self.layer
        x = np.ascontiguousarray(x, np.uint8)
        pixels = geometry.padded_height * geometry.padded_width
        planes = np.empty(
            len(x) * pixels * -(-geometry.in_channels // WORD) * layer.planes, np.uint64
        )
        room = np.empty(layer.groups * layer.words * PLANES, np.uint64)
        shape = (len(x), geometry.out_height, geometry.out_width, geometry.outputs)
        acc = np.empty(shape, np.int32)
        self.kernel.pack(layer, len(x), address(x), address(planes))
        self.kernel.sums(layer, len(x), address(planes), address(room), address(acc))
        return acc

    def written(self, acc: IntArray, added: IntArray | None) -> IntArray:
        """What leaves the layer, codes or logits; ``added`` is what its shortcut brings."""
        geometry = self.geometry
        if geometry.output_bits is None:
            return super().written(acc, added)
        more = None if added is None else np.ascontiguousarray(added, np.uint8)
        shape = (len(acc), geometry.pooled_height, geometry.pooled_width, geometry.outputs)
        codes = np.empty(shape, np.uint8)
        self.kernel.requantize(
            self.scaling,
            len(acc),
            address(acc),
            None if more is None else address(more),
            address(codes),
        )
        return codes


class CoatedLayer(PlainLayer):
    """A layer whose weights are sums of several, each with sums of its own.

    Parameters
    ----------
    first : PlainLayer
        What computes the first coat's sums, and what leaves the layer.
    inner : sequence of PlainLayer
        What computes those of the others.
    """

    def __init__(self, first: PlainLayer, inner: Sequence[PlainLayer]) -> None:
        super().__init__(first.config, first.geometry, first.parameters, first.weights)
        self.first = first
        self.inner = inner

    def sums(self, x: IntArray) -> IntArray:
        """Accumulators before the pool, (n, h, w, c) -> (n, h', w', outputs)."""
        acc = self.first.sums(x)
        for coat in self.inner:
            acc = acc + coat.sums(x)
        return acc

    def written(self, acc: IntArray, added: IntArray | None) -> IntArray:
        """What leaves the layer, codes or logits; ``added`` is what its shortcut brings."""
        return self.first.written(acc, added)


def _layer(geometry: LayerGeometry, window: PackedWindow, readout: Readout | None) -> Layer:
    """What the kernel knows of a layer, but for its arrays."""
    if readout is None:  # a word at a time, as all counts are added up
        mode, groups, words = EXACT, window.groups * window.words, 1
    else:
        mode = ROUNDING if readout.shift or window.words > 1 else SATURATING
        groups, words = window.groups, window.words
    return Layer(
        planes=geometry.input_bits,
        in_height=geometry.in_height,
        in_width=geometry.in_width,
        in_channels=geometry.in_channels,
        padding=geometry.padding,
        out_height=geometry.out_height,
        out_width=geometry.out_width,
        stride=geometry.stride,
        outputs=geometry.outputs,
        groups=groups,
        words=words,
        mode=mode,
        cap=0 if readout is None else readout.cap,
        shift=0 if readout is None else readout.shift,
    )


def _scaling(geometry: LayerGeometry) -> Scaling:
    """What the kernel knows of a requantizer, but for its arrays; the last layer's is not used."""
    bits = geometry.output_bits or 0
    return Scaling(
        height=geometry.out_height,
        width=geometry.out_width,
        outputs=geometry.outputs,
        pool=geometry.pool,
        left=max(0, bits - geometry.added_bits),
        right=max(0, geometry.added_bits - bits),
        largest=(1 << bits) - 1,
    )


def layer_of(
    config: Config,
    geometry: LayerGeometry,
    parameters: LayerParameters,
    kernel: ctypes.CDLL | None,
) -> PlainLayer:
    """The layer by the kernel, where there is one and it can take it; else the plain layer."""
    first, *inner = (
        _one_coat(config, geometry, parameters, weights, kernel)
        for weights in parameters.coats(config, geometry)
    )
    return CoatedLayer(first, inner) if inner else first


def _one_coat(
    config: Config,
    geometry: LayerGeometry,
    parameters: LayerParameters,
    weights: IntArray,
    kernel: ctypes.CDLL | None,
) -> PlainLayer:
    engine = config.layers[geometry.index]
    plain = PlainLayer(config, geometry, parameters, weights)
    is_known = engine.is_exact or engine.engine in READOUTS
    is_small = -1 <= plain.weights.min() <= plain.weights.max() <= 1 and geometry.peak < 1 << 31
    if engine.is_exact and not is_small and geometry.peak < MOST_EXACT:
        return MatrixLayer(config, geometry, parameters, weights)
    if kernel is None or not is_known or not is_small:
        return plain
    readout = None if engine.is_exact else READOUTS[engine.engine](config, geometry.index)
    return PackedLayer(plain, readout, kernel)
