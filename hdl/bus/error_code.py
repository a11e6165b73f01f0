"""Every error that the accelerator's ERROR register can name."""

from amaranth.lib import enum

from kakure.hdl.accelerators.frame_gate import FrameError
from kakure.hdl.weights.image_reader import LoadError

__all__ = ["ERROR_TEXTS", "ErrorCode"]


class ErrorCode(enum.Enum, shape=4):
    """Codes of ERROR.CODE: from 8 on the frame of an image was wrong, below it the supermask."""

    NONE = 0
    HEADER = LoadError.HEADER.value
    LENGTH = LoadError.LENGTH.value
    CRC = LoadError.CRC.value
    SCALE = LoadError.SCALE.value
    IMAGE_SHORT = FrameError.IMAGE_SHORT.value
    IMAGE_LONG = FrameError.IMAGE_LONG.value


ERROR_TEXTS = {
    ErrorCode.NONE: "",
    ErrorCode.HEADER: "a section begins wrong",
    ErrorCode.LENGTH: (
        "a mask or the whole is too short or too long, or TLAST is not where it must be"
    ),
    ErrorCode.CRC: "",
    ErrorCode.SCALE: "a reserved bit of a channel's scale is set",
    ErrorCode.IMAGE_SHORT: "TLAST before an image's last word",
    ErrorCode.IMAGE_LONG: (
        "no TLAST with it (BATCH 0), and what follows is dropped to the next TLAST, with that, or "
        "until BATCH is 1"
    ),
}
"""What each code means beyond its name."""
