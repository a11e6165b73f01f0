"""Counters that walk through the weight words of a layer."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .sign_generator_shape import WeightOrderShape

__all__ = ["GENERATORS", "WeightOrder"]

GENERATORS = ("xorshift32", "xorshift16")
"""The sign generators, each with its order."""


class WeightOrder(wiring.Component):
    """Row and block of every 32-weight word of a layer, in the order of a sign generator.

    Channel by channel. Within a channel ``xorshift32`` visits all blocks of a row before it moves
    to the next position, ``xorshift16`` all positions of a block before it moves to the next block.

    Equal to :func:`kakure.model.reference.signs.weight_order`.

    Parameters
    ----------
    generator : str
        ``xorshift32`` or ``xorshift16``.
    max_channels, max_window, max_blocks : int, at least 1
        Largest number of input channels, of window positions, and of words in a row.

    Members
    -------
    start : ``In(1)``
        Go to the first word.
    step : ``In(1)``
        Go to the next word, unless ``start``.
    channels, window, blocks : ``In``
        The layer, each 1 to its maximum; hold them while the walk lasts.
    channel, row, block : ``Out``
        The word; row = channel·window + position.
    last_position, last_block, is_last : ``Out(1)``
        The word is the last of its window, of its row, of the layer.

    Raises
    ------
    ValueError
        If ``generator`` is unknown or a maximum is below 1.
    """

    start: Signal
    step: Signal
    channels: Signal
    window: Signal
    blocks: Signal
    channel: Signal
    row: Signal
    block: Signal
    last_position: Signal
    last_block: Signal
    is_last: Signal

    def __init__(
        self, *, generator: str, max_channels: int, max_window: int, max_blocks: int
    ) -> None:
        if generator not in GENERATORS:
            raise ValueError(f"generator must be {' or '.join(GENERATORS)}, not {generator!r}")
        if max_channels < 1:
            raise ValueError(f"max_channels must be at least 1, not {max_channels!r}")
        if max_window < 1:
            raise ValueError(f"max_window must be at least 1, not {max_window!r}")
        if max_blocks < 1:
            raise ValueError(f"max_blocks must be at least 1, not {max_blocks!r}")
        self.generator = generator
        self.max_channels = max_channels
        self.max_window = max_window
        self.max_blocks = max_blocks
        self.shape = WeightOrderShape(
            max_channels, max_window, max_blocks, int(generator == "xorshift16")
        )
        super().__init__({
            "start": In(1),
            "step": In(1),
            "channels": In(range(max_channels + 1)),
            "window": In(range(max_window + 1)),
            "blocks": In(range(max_blocks + 1)),
            "channel": Out(range(max_channels)),
            "row": Out(range(self.shape.max_rows)),
            "block": Out(range(max_blocks)),
            "last_position": Out(1),
            "last_block": Out(1),
            "is_last": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        position = Signal(range(self.max_window))
        m.d.comb += self.last_position.eq(position == self.window - 1)
        m.d.comb += self.last_block.eq(self.block == self.blocks - 1)
        ends_channel = self.last_position & self.last_block
        m.d.comb += self.is_last.eq(ends_channel & (self.channel == self.channels - 1))

        if self.generator == "xorshift32":
            position_moves = self.last_block
            block_moves = Const(1)
            next_row = self.row + 1
        else:
            position_moves = Const(1)
            block_moves = self.last_position
            goes_back = self.last_position & ~self.last_block
            next_row = self.row + 1 - Mux(goes_back, self.window, 0)

        with m.If(self.step & position_moves):
            m.d.sync += position.eq(Mux(self.last_position, 0, position + 1))
            m.d.sync += self.row.eq(next_row)
        with m.If(self.step & block_moves):
            m.d.sync += self.block.eq(Mux(self.last_block, 0, self.block + 1))
        with m.If(self.step & ends_channel):
            m.d.sync += self.channel.eq(self.channel + 1)
        with m.If(self.start):
            for counter in (self.channel, position, self.row, self.block):
                m.d.sync += counter.eq(0)

        return m
