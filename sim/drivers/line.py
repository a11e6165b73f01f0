"""A serial line into the Amaranth simulator, which runs while somebody waits for bytes."""

from collections import deque
from typing import Any

from amaranth.hdl import Elaboratable
from amaranth.sim import Simulator

__all__ = ["SimulatedLine", "SimulatedUart"]


class SimulatedLine:
    """Bytes into a design and out of it; the transport of :class:`kakure.model.link.host.Host`.

    Parameters
    ----------
    design : Elaboratable
        Of one clock.
    into : object
        With ``has_byte`` and ``byte``: where bytes go, one every ``pace`` cycles.
    out : stream.Interface
        Where bytes come from, as fast as they come.
    pace : int, at least 1
    patience : int
        Cycles that :meth:`read` waits for a byte.

    Attributes
    ----------
    cycles : int
        That have passed.
    came : deque of int
        Bytes that came out and were not read.
    """

    def __init__(
        self, design: Elaboratable, into: Any, out: Any, *, pace: int = 1, patience: int = 2000
    ) -> None:
        self.pace = pace
        self.patience = patience
        self.cycles = 0
        self._waiting: deque[int] = deque()
        self.came: deque[int] = deque()
        self._simulator = Simulator(design)
        self._simulator.add_clock(1e-6)

        self._into, self._out = into, out
        self._simulator.add_testbench(self._send, background=True)
        self._simulator.add_testbench(self._receive, background=True)

    async def _send(self, ctx: Any) -> None:
        while True:
            has_byte = bool(self._waiting) and self.cycles % self.pace == 0
            ctx.set(self._into.has_byte, has_byte)
            if has_byte:
                ctx.set(self._into.byte, self._waiting.popleft())
            await ctx.tick()
            self.cycles += 1

    async def _receive(self, ctx: Any) -> None:
        out = self._out
        ctx.set(out.ready, 1)
        async for *_, valid, byte in ctx.tick().sample(out.valid, out.payload):
            if valid:
                self.came.append(byte)

    def run(self, cycles: int) -> None:
        """Let so many cycles pass."""
        end = self.cycles + cycles
        while self.cycles < end:
            self._simulator.advance()

    def write(self, data: bytes) -> None:
        """Put bytes on the line."""
        self._waiting += data

    def read(self, count: int) -> bytes:
        """``count`` bytes; fewer if the design is silent for as long as the patience lasts."""
        last = self.cycles
        while len(self.came) < count and self.cycles < last + self.patience:
            if self._waiting:
                last = self.cycles
            before = len(self.came)
            self._simulator.advance()
            if len(self.came) > before:
                last = self.cycles
        return bytes(self.came.popleft() for _ in range(min(count, len(self.came))))


class SimulatedUart(SimulatedLine):
    """The same over the two wires of a UART: 8 data bits, no parity, one stop bit.

    Parameters
    ----------
    design : Elaboratable
        With ``rx`` and ``tx``.
    divisor : int
        Cycles of a bit.
    patience : int
        Cycles that :meth:`read` waits for a byte.
    """

    def __init__(self, design: Any, *, divisor: int, patience: int = 4000) -> None:
        self.divisor = divisor
        super().__init__(design, design.rx, design.tx, patience=patience)

    async def _send(self, ctx: Any) -> None:
        ctx.set(self._into, 1)
        while True:
            bits = [1]
            if self._waiting:
                byte = self._waiting.popleft()
                bits = [0, *(byte >> n & 1 for n in range(8)), 1]
            for bit in bits:
                ctx.set(self._into, bit)
                for _ in range(self.divisor):
                    await ctx.tick()
                    self.cycles += 1

    async def _receive(self, ctx: Any) -> None:
        while True:
            while ctx.get(self._out):
                await ctx.tick()
            bits = []
            for number in range(10):
                for _ in range(self.divisor // 2 if number == 0 else self.divisor):
                    await ctx.tick()
                bits.append(ctx.get(self._out))
            assert (bits[0], bits[9]) == (0, 1), f"a byte must have its start and stop bits: {bits}"
            self.came.append(sum(bit << n for n, bit in enumerate(bits[1:9])))
