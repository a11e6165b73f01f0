"""Every error that the accelerator's ERROR register can name."""

from amaranth.lib import enum

from kakure.hdl.accelerators.frame_gate import FrameError
from kakure.hdl.weights.image_reader import LoadError

__all__ = ["ErrorCode"]


class ErrorCode(enum.Enum, shape=4):
    """Codes of ERROR.CODE: from 8 on the frame of an image was wrong, below it the supermask."""

    NONE = 0
    HEADER = LoadError.HEADER.value
    LENGTH = LoadError.LENGTH.value
    CRC = LoadError.CRC.value
    SCALE = LoadError.SCALE.value
    IMAGE_SHORT = FrameError.IMAGE_SHORT.value
    IMAGE_LONG = FrameError.IMAGE_LONG.value
