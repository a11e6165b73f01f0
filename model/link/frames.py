"""Frames of the serial link between a host and a board: what each of their bytes means.

A host asks, a board answers, one frame each. Numbers of 32 bits are least significant byte first.

    request   0x4B, op + 64 · is_last + 128 · turn, argument, count, count words, CRC-32
    reply     0x6B, op + 128 · turn, status, count, count words, CRC-32

``turn`` changes after every reply but BUSY, so that a request that comes twice, because its reply
was lost, is executed once. The CRC-32 (IEEE 802.3) is of all bytes before it.
"""

import zlib
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "BAUD",
    "HEAD",
    "MOST_WORDS",
    "REPLY",
    "REQUEST",
    "TAIL",
    "VERSION",
    "VERSION_AT",
    "FrameDamaged",
    "Op",
    "Reply",
    "Request",
    "Status",
]

BAUD = 1_000_000
"""Bits per second, where nothing else is said."""

REQUEST, REPLY = 0x4B, 0x6B
"""First bytes."""

HEAD, TAIL = 4, 4
"""Bytes before the words, and after them."""

MOST_WORDS = 255
"""Of a frame."""

VERSION = 1
"""Of this format."""

VERSION_AT = 24
"""Where it stands in the word that answers HELLO [bit]; below it, words that each FIFO holds."""

LAST, TURN = 6, 7
"""Bits of the second byte."""


class Op(IntEnum):
    """What a host asks for."""

    HELLO = 0
    """Forget what is on its way; a word of the reply: version and depth, see ``VERSION_AT``."""
    READ = 1
    """Register at word address ``argument``."""
    WRITE = 2
    """Register at word address ``argument``; one word."""
    SEND = 3
    """Words into the accelerator's stream; ``is_last``: TLAST with the last of them."""
    RECEIVE = 4
    """At most ``argument`` words that have come out of the accelerator; fewer, or none."""


class Status(IntEnum):
    """How it went."""

    OK = 0
    BUSY = 1
    """There is no room for the words yet; nothing was done."""
    REFUSED = 2
    """No such request or register; nothing was done."""
    DAMAGED = 3
    """The frame was not whole; nothing was done. ``op`` and ``turn`` are 0."""


class FrameDamaged(ValueError):
    """Bytes are no frame."""


@dataclass(frozen=True)
class Request:
    """What a host asks; see the module for its bytes."""

    op: int
    turn: int
    argument: int = 0
    words: tuple[int, ...] = ()
    is_last: bool = False

    def encoded(self) -> bytes:
        """Its bytes."""
        kind = self.op | self.is_last << LAST | self.turn << TURN
        return _encoded(REQUEST, kind, self.argument, self.words)

    @staticmethod
    def decoded(frame: bytes) -> "Request":
        """Inverse of :meth:`encoded`; FrameDamaged if the bytes are no request."""
        kind, argument, words = _decoded(REQUEST, frame)
        op = kind & (1 << LAST) - 1
        return Request(op, kind >> TURN, argument, words, bool(kind >> LAST & 1))


@dataclass(frozen=True)
class Reply:
    """What a board answers; see the module for its bytes."""

    op: int
    turn: int
    status: int
    words: tuple[int, ...] = ()

    def encoded(self) -> bytes:
        """Its bytes."""
        return _encoded(REPLY, self.op | self.turn << TURN, self.status, self.words)

    @staticmethod
    def decoded(frame: bytes) -> "Reply":
        """Inverse of :meth:`encoded`; FrameDamaged if the bytes are no reply."""
        kind, status, words = _decoded(REPLY, frame)
        return Reply(kind & (1 << TURN) - 1, kind >> TURN, status, words)


def _encoded(first: int, kind: int, third: int, words: tuple[int, ...]) -> bytes:
    body = bytes((first, kind, third, len(words)))
    body += b"".join(word.to_bytes(4, "little") for word in words)
    return body + zlib.crc32(body).to_bytes(4, "little")


def _decoded(first: int, frame: bytes) -> tuple[int, int, tuple[int, ...]]:
    """Second and third byte, and the words."""
    body, tail = frame[:-TAIL], frame[-TAIL:]
    if len(frame) < HEAD + TAIL or frame[0] != first or len(body) != HEAD + 4 * frame[3]:
        raise FrameDamaged("the length must be that of a frame")
    if zlib.crc32(body).to_bytes(4, "little") != tail:
        raise FrameDamaged("the CRC-32 must be that of the bytes before it")
    at = range(HEAD, len(body), 4)
    words = tuple(int.from_bytes(body[start : start + 4], "little") for start in at)
    return frame[1], frame[2], words
