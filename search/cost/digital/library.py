"""All blocks by kind."""

from .block import Block
from .control_blocks import CONTROL_BLOCKS
from .crossbar_blocks import CROSSBAR_BLOCKS
from .pe_blocks import PE_BLOCKS
from .stream_blocks import STREAM_BLOCKS

__all__ = ["BLOCKS"]

BLOCKS: dict[str, Block] = {
    block.kind: block for block in (*CROSSBAR_BLOCKS, *PE_BLOCKS, *STREAM_BLOCKS, *CONTROL_BLOCKS)
}
