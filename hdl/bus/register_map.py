"""Memory-mapped registers: one table for the hardware, its manual and its C header."""

from dataclasses import dataclass, field

from kakure.hdl.accelerators.frame_gate import FrameError
from kakure.hdl.weights.image_reader import LoadError

from .error_code import ERROR_TEXTS, ErrorCode

__all__ = [
    "ACCELERATOR_REGISTERS",
    "ADDRESS_BITS",
    "IDENTITY",
    "MAP_VERSION",
    "OWN_OFFSET",
    "PLANES",
    "PLANES_BITS",
    "THRESHOLD",
    "THRESHOLD_BITS",
    "Field",
    "Register",
    "constant_values",
]


@dataclass(frozen=True)
class Field:
    """Bits of a register.

    Attributes
    ----------
    name : str
    low, width : int
        Least significant bit, and number of bits.
    text : str
        What it means.
    is_pulse : bool
        Writing 1 does something once; reads as 0. Else the bits are kept.
    """

    name: str
    low: int
    width: int
    text: str
    is_pulse: bool = False

    @property
    def mask(self) -> int:
        """Its bits in the register."""
        return ((1 << self.width) - 1) << self.low

    @property
    def byte(self) -> int:
        """The byte of the register in which it begins: the strobe of that one writes it."""
        return self.low // 8


@dataclass(frozen=True)
class Register:
    """A 32-bit register.

    Attributes
    ----------
    name : str
        In capitals, as in the C header.
    offset : int
        Byte address, a multiple of 4.
    access : str
        ``r`` or ``rw``.
    text : str
        What it means.
    fields : tuple of Field
        Its bits, where it is more than one number.
    """

    name: str
    offset: int
    access: str
    text: str
    fields: tuple[Field, ...] = field(default=())


IDENTITY = 0x4B414B55
"""Value of the IDENTITY register, the letters KAKU."""

MAP_VERSION = 2
"""Value of the VERSION register: it changes with this table."""


def constant_values(digest: str) -> dict[str, int]:
    """What the registers hold that never change, by name; ``digest`` of 64 hexadecimal digits."""
    words = {f"DIGEST_{k}": int(digest[8 * k : 8 * k + 8], 16) for k in range(8)}
    return {"IDENTITY": IDENTITY, "VERSION": MAP_VERSION, **words}


def _codes(errors: type[LoadError | FrameError]) -> str:
    """The codes of one kind of errors, each with its name and what it means."""
    known = [ErrorCode[error.name] for error in errors if error.name != ErrorCode.NONE.name]
    texts = {code: f", {ERROR_TEXTS[code]}" if ERROR_TEXTS[code] else "" for code in known}
    return "; ".join(f"{code.value} {code.name}{text}" for code, text in texts.items())


ACCELERATOR_REGISTERS = (
    Register("IDENTITY", 0x00, "r", f"0x{IDENTITY:08X}, the letters KAKU."),
    Register("VERSION", 0x04, "r", "Version of this register map."),
    *(
        Register(
            f"DIGEST_{k}",
            0x08 + 4 * k,
            "r",
            f"Digits {8 * k} to {8 * k + 7} of the configuration's SHA-256.",
        )
        for k in range(8)
    ),
    Register(
        "CONTROL",
        0x28,
        "rw",
        "What the accelerator does. A write sets all kept bits; 0 after a reset by ARESETn.",
        (
            Field(
                "RESET",
                0,
                1,
                "Write 1: forget weights, images, results, counters and errors, at once; the next "
                "word is the first of a supermask. The kept bits stay as they are written with it. "
                "Takes back a word offered on m_axis: reset what reads m_axis too.",
                is_pulse=True,
            ),
            Field(
                "CLASS",
                1,
                1,
                "1: one word per image, its class; 0: the logits. Each result takes it as it "
                "starts, none changes midway.",
            ),
            Field(
                "BATCH",
                2,
                1,
                "0: every image is a frame, TLAST with its last word and no other. 1: a frame may "
                "hold several whole images, or TLAST may never come; one before an image's last "
                "word is still an error. Change it between images.",
            ),
            Field(
                "SPLIT",
                3,
                1,
                "0: TLAST comes with a supermask's last word and no other. 1: TLAST of its words "
                "is not looked at, so that it may come in several transfers.",
            ),
            Field(
                "LOAD",
                4,
                1,
                "Write 1: load another supermask. While images are accepted (STATUS.LOADED) it "
                "begins when the image that is being sent has been sent to the end of its frame "
                "(BATCH 0) or to its end (BATCH 1) and the results of all were taken; the next "
                "words, which s_axis holds up till then, are the supermask. While a load is under "
                "way or has failed it begins at once: end the transfer first, then the next word "
                "is the supermask's first. As it begins, LOADED, errors and counters become 0.",
                is_pulse=True,
            ),
            Field(
                "CLEAR",
                5,
                1,
                "Write 1: forget DROPPED and an error of an image. An error of loading stays.",
                is_pulse=True,
            ),
        ),
    ),
    Register(
        "STATUS",
        0x2C,
        "r",
        "What state the accelerator is in.",
        (
            Field("LOADED", 0, 1, "Weights are made; images are accepted."),
            Field("ERROR", 1, 1, "Something was wrong, see ERROR."),
            Field(
                "BUSY",
                2,
                1,
                "An image is on its way: a word of it was taken, and its result was not. Or the "
                "rest of a frame that is too long is being dropped.",
            ),
            Field("WAITING", 3, 1, "CONTROL.LOAD was written and waits for images on their way."),
        ),
    ),
    Register(
        "ERROR",
        0x30,
        "r",
        "The first thing that was wrong since a reset, LOAD or CLEAR.",
        (
            Field(
                "CODE",
                0,
                8,
                f"{ErrorCode.NONE.value} none. Of the supermask, all that follows is dropped until "
                f"RESET or LOAD: {_codes(LoadError)}. Of an image, it has no result and the next "
                f"frame is right: {_codes(FrameError)}.",
            ),
            Field("LAYER", 8, 8, "Layer whose section is wrong; 0 unless CODE is of loading."),
        ),
    ),
    Register(
        "LOAD_CYCLES",
        0x34,
        "r",
        "Cycles from the first to the last word of the supermask, both included.",
    ),
    Register(
        "RESULTS", 0x38, "r", "Results taken from m_axis to their last word, since reset or LOAD."
    ),
    Register(
        "LATENCY",
        0x3C,
        "r",
        "Cycles from the first one that offers a word of an image to the one that takes the last "
        "word of the first result, both included.",
    ),
    Register("CYCLES", 0x40, "r", "The same, to the last word of the latest result."),
    Register(
        "DROPPED",
        0x44,
        "r",
        "Images with a wrong frame, which have no result, since reset, LOAD or CLEAR.",
    ),
)

OWN_OFFSET = max(register.offset for register in ACCELERATOR_REGISTERS) + 4
"""Where registers of a kind of accelerator begin."""

PLANES_BITS = 8
"""Planes of bitwise weights at most."""

PLANES = Register(
    "PLANES",
    0x70,
    "rw",
    "Precision of bitwise weights; 0 after a reset by ARESETn.",
    (
        Field(
            "TRIED",
            0,
            PLANES_BITS,
            "Bit n - 1: images are tried with n planes of the weights, the most significant ones; "
            "with few first, and with more where THRESHOLD says so (where that is not there, with "
            "the fewest alone). Where no bit of a number that there is is set, all planes are "
            "used. Images take it while STATUS.BUSY is 0: a change counts from the next image on "
            "whose first word comes when no other is on its way.",
        ),
    ),
)

THRESHOLD_BITS = 32
"""Width of a margin [bit]."""

THRESHOLD = Register(
    "THRESHOLD",
    0x74,
    "rw",
    "When an image is tried with more planes; 0 after a reset by ARESETn.",
    (
        Field(
            "MARGIN",
            0,
            THRESHOLD_BITS,
            "An image is tried with the next number of planes in PLANES while the margin between "
            "its two largest logits is below this, unsigned; 0: never. Images are then worked on "
            "one at a time. Taken as PLANES is.",
        ),
    ),
)

ADDRESS_BITS = max(register.offset for register in ACCELERATOR_REGISTERS).bit_length()
"""Width of an AXI4-Lite address [bit]."""
