"""The families of a space: one pool and one depth for every layer, and shortcuts where they fit."""

from collections.abc import Sequence

from kakure.model.errors import FieldError

from .layer_space import LayerSpace

__all__ = ["check_shortcuts", "fixed_layers"]


def fixed_layers(
    offered: Sequence[LayerSpace], choice: Sequence[tuple[int, int]], channels: int
) -> tuple[LayerSpace, ...]:
    """All layers with one pool and one depth each.

    A shortcut that is only offered is no more where it cannot be: around other numbers of
    channels, and in the last layer. The first of repeated layers that must have one need not
    where it may read other numbers of channels than it has.

    Parameters
    ----------
    offered : sequence of LayerSpace
        As the space's file has them.
    choice : sequence of (int, int)
        Pool and depth of each.
    channels : int
        Of the image.
    """
    layers: list[LayerSpace] = []
    before = (channels,)
    for layer, (pool, repeat) in zip(offered, choice, strict=True):
        for number, one in enumerate(layer.fixed(pool, repeat)):
            is_first = number == 0 and layer.repeat != (1,)
            lacking = [count for count in before if count not in one.channels]
            if True in one.residual and (is_first or False in one.residual) and lacking:
                ways = one.residual if False in one.residual else (True, False)
                can = ways if len(lacking) < len(before) else (False,)
                one = one.changed(residual=can)
            layers.append(one)
            before = one.channels
    if layers and set(layers[-1].residual) == {True, False}:
        layers[-1] = layers[-1].changed(residual=(False,))
    return tuple(layers)


def check_shortcuts(layers: Sequence[LayerSpace], channels: int) -> None:
    """See that every layer can follow whatever the one before may be.

    Parameters
    ----------
    layers : sequence of LayerSpace
        Of one family.
    channels : int
        Of the image.

    Raises
    ------
    FieldError
        For the first layer whose shortcut cannot be, or cannot always be.
    """
    before = (channels,)
    for index, layer in enumerate(layers):
        lacking = [count for count in before if count not in layer.channels]
        if True in layer.residual and len(lacking) == len(before):
            raise FieldError(
                ("layers", index, "residual"),
                f"must be false where channels has none of the "
                f"{', '.join(map(str, before))} that are read",
            )
        if False not in layer.residual and lacking:
            raise FieldError(
                ("layers", index, "residual"),
                f"must offer false too where channels lacks the {lacking[0]} that may be read",
            )
        before = tuple(c for c in layer.channels if False in layer.residual or c in before)
