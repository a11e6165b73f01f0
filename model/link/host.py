"""The host's end of the link: requests that are repeated until they are answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kakure.model.errors import UserError

from .frames import (
    HEAD,
    MOST_WORDS,
    REPLY,
    TAIL,
    VERSION,
    VERSION_AT,
    FrameDamaged,
    Op,
    Reply,
    Request,
    Status,
)

__all__ = ["Host", "Transport"]


class Transport(Protocol):
    """Where bytes go and come from: a serial port, or a simulated one."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def read(self, count: int) -> bytes:
        """``count`` bytes; fewer if no more have come within the transport's own time."""
        ...


@dataclass
class Host:
    """Asks a board; every request is executed exactly once, whatever the line does to bytes.

    Attributes
    ----------
    transport : Transport
    tries : int
        How often a request is sent before the board counts as gone.
    """

    transport: Transport
    tries: int = 8
    depth: int = 0
    _turn: int = 0

    def hello(self) -> int:
        """Begin: nothing is on its way any more. Words that each of the board's FIFOs holds.

        Raises
        ------
        UserError
            If nothing answers, or with another version.
        """
        (word,) = self._ask(Op.HELLO).words
        version, depth = word >> VERSION_AT, word & (1 << VERSION_AT) - 1
        if version != VERSION:
            raise UserError(f"the board's link must be of version {VERSION}", value=version)
        self.depth = depth
        return depth

    def read(self, offset: int) -> int:
        """The register at a byte offset; UserError if there is none."""
        return self._register(Op.READ, offset).words[0]

    def write(self, offset: int, value: int) -> None:
        """Write the register at a byte offset; UserError if none can be written there."""
        self._register(Op.WRITE, offset, value)

    def send(self, words: Sequence[int], *, is_last: bool) -> bool:
        """Send 1 to 255 words into the accelerator's stream; False if there is no room yet."""
        assert 1 <= len(words) <= MOST_WORDS
        reply = self._ask(Op.SEND, words=tuple(words), is_last=is_last)
        return reply.status == Status.OK

    def receive(self, most: int = MOST_WORDS) -> tuple[int, ...]:
        """What has come out of the accelerator, at most ``most`` words, 1 to 255."""
        return self._ask(Op.RECEIVE, argument=most).words

    def _register(self, op: Op, offset: int, *words: int) -> Reply:
        reply = self._ask(op, argument=offset // 4, words=words)
        if reply.status == Status.REFUSED:
            verb = "read" if op == Op.READ else "written"
            raise UserError(f"must be a register that can be {verb}", value=f"offset {offset:#x}")
        return reply

    def _ask(
        self, op: Op, *, argument: int = 0, words: tuple[int, ...] = (), is_last: bool = False
    ) -> Reply:
        """Send a request until it is answered."""
        request = Request(op, self._turn, argument, words, is_last)
        for _ in range(self.tries):
            self.transport.write(request.encoded())
            reply = self._reply(request)
            if reply is not None:
                self._turn ^= reply.status != Status.BUSY
                return reply
            while self.transport.read(HEAD + 4 * MOST_WORDS + TAIL):
                pass  # a late reply must not be taken for a later request's
        raise UserError(f"the board must answer; it did not, asked {self.tries} times")

    def _reply(self, request: Request) -> Reply | None:
        """The answer to a request; None if none comes, or the board has not understood."""
        while first := self.transport.read(1):
            if first[0] != REPLY:
                continue
            head = first + self.transport.read(HEAD - 1)
            rest = b""
            if len(head) == HEAD:
                rest = self.transport.read(4 * head[-1] + TAIL)
            try:
                reply = Reply.decoded(head + rest)
            except FrameDamaged:
                return None
            if reply.status == Status.DAMAGED:
                return None
            if (reply.op, reply.turn) == (request.op, request.turn):
                return reply
        return None
