"""The serial link in plain Python: whatever the line does, every request is executed once."""

from collections import deque
from random import Random

import pytest

from kakure.model.errors import UserError
from kakure.model.link.device import DAMAGED, Device
from kakure.model.link.frames import FrameDamaged, Op, Reply, Request, Status
from kakure.model.link.host import Host


class Board:
    """Two registers, and an accelerator that gives back what it is given, plus one."""

    def __init__(self, depth=8, rng=None):
        self.registers = {0: 0x4B414B55, 3: 0}
        self.written: list[tuple[int, int]] = []
        self.taken: list[tuple[int, int]] = []
        self.rng = rng
        self.device = Device(depth, self.registers.get, self.write)

    def write(self, address: int, value: int) -> bool:
        if address != 3:
            return False
        self.written.append((address, value))
        self.registers[3] = value
        return True

    def work(self) -> None:
        device = self.device
        while device.inputs and len(device.outputs) < device.depth:
            if self.rng is not None and self.rng.random() < 0.3:
                return
            self.taken.append(device.inputs.popleft())
            device.outputs.append((self.taken[-1][0] + 1) % (1 << 32))


class Line:
    """A transport that loses, changes, repeats and adds bytes and frames."""

    def __init__(self, board: Board, rng: Random, rate: float):
        self.board, self.rng, self.rate = board, rng, rate
        self.waiting: deque[int] = deque()

    def spoilt(self, data: bytes) -> bytes:
        kept = bytearray()
        for byte in data:
            draw = self.rng.random()
            if draw < self.rate / 3:
                continue
            if draw < 2 * self.rate / 3:
                byte ^= 1 << self.rng.randrange(8)
            kept.append(byte)
            if draw > 1 - self.rate / 3:
                kept.append(self.rng.randrange(256))
        return bytes(kept)

    def write(self, data: bytes) -> None:
        self.board.work()
        reply = self.board.device.answer(self.spoilt(data))
        for _ in range(1 + (self.rng.random() < self.rate)):
            self.waiting += self.spoilt(reply.encoded())

    def read(self, count: int) -> bytes:
        return bytes(self.waiting.popleft() for _ in range(min(count, len(self.waiting))))


FRAMES = [
    Request(Op.HELLO, 1),
    Request(Op.SEND, 0, 0, (0, 0xFFFFFFFF, 0x4B6B4B6B), True),
    Request(Op.WRITE, 1, 255, (7,)),
    Request(Op.RECEIVE, 1, 255),
    Reply(Op.RECEIVE, 1, Status.OK, tuple(range(255))),
    Reply(Op.SEND, 0, Status.BUSY),
    DAMAGED,
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_is_read_back_and_no_flipped_bit_of_it_is(frame):
    data = frame.encoded()
    assert type(frame).decoded(data) == frame
    for bit in range(8 * min(len(data), 24)):
        spoilt = bytearray(data)
        spoilt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameDamaged):
            type(frame).decoded(bytes(spoilt))
    for length in range(min(len(data), 24)):
        with pytest.raises(FrameDamaged):
            type(frame).decoded(data[:length])
    with pytest.raises(FrameDamaged):
        type(frame).decoded(data + b"\0")


def test_the_bytes_of_a_request():
    assert Request(Op.SEND, 1, 9, (0x04030201,), True).encoded() == bytes.fromhex(
        "4b c3 09 01 01020304 6dd83761"
    )


@pytest.mark.parametrize("rate", [0.0, 0.002, 0.02])
@pytest.mark.parametrize("seed", range(4))
def test_every_word_goes_and_comes_once_over_a_bad_line(rate, seed):
    rng = Random(f"{rate} {seed}")
    board = Board(depth=8, rng=rng)
    host = Host(Line(board, rng, rate), tries=200)
    assert host.hello() == 8
    words = [rng.getrandbits(32) for _ in range(300)]
    sent, came, writes = 0, [], []
    while len(came) < len(words):
        count = min(rng.randint(1, 6), len(words) - sent)
        if count and host.send(words[sent : sent + count], is_last=sent + count == len(words)):
            sent += count
        if rng.random() < 0.3:
            writes.append(rng.getrandbits(32))
            host.write(12, writes[-1])
            assert host.read(12) == writes[-1]
        came += host.receive(rng.randint(1, 9))
    assert came == [(word + 1) % (1 << 32) for word in words]
    assert board.taken == [(word, int(n == 300)) for n, word in enumerate(words, 1)]
    assert board.written == [(3, value) for value in writes]


def test_what_a_host_is_told():
    board = Board()
    host = Host(Line(board, Random(1), 0.0))
    host.hello()
    assert host.read(0) == 0x4B414B55
    for call, verb in ((lambda: host.read(4), "read"), (lambda: host.write(0, 1), "written")):
        with pytest.raises(UserError, match=f"must be a register that can be {verb}, not offset"):
            call()
    board.device.outputs += range(8)
    assert host.send(range(8), is_last=True)
    assert not host.send([1], is_last=True)  # neither end takes any more
    assert host.receive(3) == (0, 1, 2)
    assert host.receive() == (3, 4, 5, 6, 7)
    host.hello()
    assert not board.device.inputs and not board.device.outputs


def test_a_refused_write_that_comes_twice_is_refused_twice():
    device = Board().device
    frame = Request(Op.WRITE, 1, 0, (5,)).encoded()
    assert [device.answer(frame).status for _ in range(2)] == [Status.REFUSED] * 2
    frame = Request(Op.WRITE, 0, 3, (5,)).encoded()
    assert [device.answer(frame).status for _ in range(2)] == [Status.OK] * 2


@pytest.mark.parametrize(
    "request_",
    [
        Request(Op.HELLO, 1, 0, (1,)),
        Request(Op.READ, 1, 0, (1,)),
        Request(Op.WRITE, 1, 3),
        Request(Op.WRITE, 1, 3, (1, 2)),
        Request(Op.SEND, 1),
        Request(Op.RECEIVE, 1, 3, (1,)),
        Request(5, 1),
        Request(63, 1),
    ],
)
def test_forms_that_no_host_sends_are_refused(request_):
    board = Board()
    reply = board.device.answer(request_.encoded())
    assert reply == Reply(request_.op, 1, Status.REFUSED)
    assert not board.written and not board.device.inputs


def test_a_board_that_is_gone_or_of_another_version_is_named():
    class Silent:
        def write(self, data: bytes) -> None:
            pass

        def read(self, count: int) -> bytes:
            return b""

    with pytest.raises(UserError, match="the board must answer; it did not, asked 3 times"):
        Host(Silent(), tries=3).hello()

    class Other(Silent):
        def read(self, count: int) -> bytes:
            start = self.at
            self.at += count
            return Reply(Op.HELLO, 0, Status.OK, (2 << 24 | 8,)).encoded()[start : start + count]

        at = 0

    with pytest.raises(UserError, match="must be of version 1, not 2"):
        Host(Other()).hello()
