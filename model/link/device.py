"""What a board answers, in plain Python: the reference of ``hdl/boards/link_device.py``."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .frames import VERSION, VERSION_AT, FrameDamaged, Op, Reply, Request, Status

__all__ = ["DAMAGED", "Device"]

DAMAGED = Reply(0, 0, Status.DAMAGED)


@dataclass
class Device:
    """A board whose accelerator takes words when it likes.

    Attributes
    ----------
    depth : int
        Words that each of its two FIFOs holds.
    read : function
        Value of the register at a word address; None where there is none.
    write : function
        Writes a register at a word address; whether it could be written.
    inputs : deque of (int, int)
        Words on their way into the accelerator, each with its TLAST.
    outputs : deque of int
        Words that have come out of it and were not received for certain.
    """

    depth: int
    read: Callable[[int], int | None]
    write: Callable[[int, int], bool]
    inputs: deque[tuple[int, int]] = field(default_factory=deque)
    outputs: deque[int] = field(default_factory=deque)
    _turn: int | None = None
    _is_refused: bool = False
    _given: int = 0

    def answer(self, frame: bytes) -> Reply:
        """Execute a request, unless it was executed, and answer it."""
        try:
            request = Request.decoded(frame)
        except FrameDamaged:
            return DAMAGED
        is_new = request.turn != self._turn
        if is_new:  # so the reply before has come
            for _ in range(self._given):
                self.outputs.popleft()
            self._given = 0
        status, words = self._done(request, is_new)
        if status != Status.BUSY:
            self._turn, self._is_refused = request.turn, status == Status.REFUSED
        return Reply(request.op, request.turn, status, words)

    def _done(self, request: Request, is_new: bool) -> tuple[Status, tuple[int, ...]]:
        """Do what is asked; a form that no host sends is refused."""
        words = request.words
        match request.op:
            case Op.HELLO if not words:
                self.inputs.clear()
                self.outputs.clear()
                self._given = 0
                return Status.OK, (VERSION << VERSION_AT | self.depth,)
            case Op.READ if not words:
                value = self.read(request.argument)
                return (Status.REFUSED, ()) if value is None else (Status.OK, (value,))
            case Op.WRITE if len(words) == 1:
                if is_new:
                    self._is_refused = not self.write(request.argument, words[0])
                return (Status.REFUSED if self._is_refused else Status.OK), ()
            case Op.SEND if words:
                if is_new and len(self.inputs) + len(words) > self.depth:
                    return Status.BUSY, ()
                if is_new:
                    lasts = [0] * (len(words) - 1) + [int(request.is_last)]
                    self.inputs.extend(zip(words, lasts, strict=True))
                return Status.OK, ()
            case Op.RECEIVE if not words:
                self._given = min(request.argument, len(self.outputs))
                return Status.OK, tuple(list(self.outputs)[: self._given])
        return Status.REFUSED, ()
