"""Sizes of the weights of layers, and of a network's largest ones."""

from dataclasses import dataclass, fields

__all__ = ["WORD", "LayerWeights", "NetworkWeights"]

WORD = 32
"""Weights that are made together."""


@dataclass(frozen=True)
class LayerWeights:
    """Sizes of one layer's weights.

    Attributes
    ----------
    channels : int
        Input channels.
    window : int
        Positions of one window.
    outputs : int
        Output channels.
    planes : int
        Planes of bitwise weights.
    """

    channels: int
    window: int
    outputs: int
    planes: int = 1

    def __repr__(self) -> str:
        """As every dataclass, but without planes where there is one: blocks are named by it."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        shown = (f"{n}={v}" for n, v in values.items() if n != "planes" or v > 1)
        return f"LayerWeights({', '.join(shown)})"

    @property
    def rows(self) -> int:
        """Rows of weights."""
        return self.channels * self.window

    @property
    def blocks(self) -> int:
        """Words of 32 weights in a row."""
        return -(-self.outputs // WORD)

    @property
    def tail(self) -> int:
        """Outputs in the last word of a row."""
        return self.outputs - WORD * (self.blocks - 1)


@dataclass(frozen=True)
class NetworkWeights:
    """Sizes of all layers' weights, in order.

    Raises
    ------
    ValueError
        If there are not 1 to 256 layers, or a number of one is below 1.
    """

    layers: tuple[LayerWeights, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.layers) <= 256:
            raise ValueError(f"layers must be 1 to 256, not {len(self.layers)}")
        for index, layer in enumerate(self.layers):
            for name in ("channels", "window", "outputs", "planes"):
                if getattr(layer, name) < 1:
                    raise ValueError(
                        f"layers[{index}].{name} must be at least 1, not {getattr(layer, name)!r}"
                    )

    @property
    def max_rows(self) -> int:
        """Rows of a layer at most."""
        return max(layer.rows for layer in self.layers)

    @property
    def max_blocks(self) -> int:
        """Words in a row at most."""
        return max(layer.blocks for layer in self.layers)

    @property
    def max_outputs(self) -> int:
        """Output channels of a layer at most."""
        return max(layer.outputs for layer in self.layers)

    @property
    def max_planes(self) -> int:
        """Planes of a layer at most."""
        return max(layer.planes for layer in self.layers)

    @property
    def max_weights(self) -> int:
        """Weights of a layer at most."""
        return max(layer.rows * layer.outputs for layer in self.layers)
