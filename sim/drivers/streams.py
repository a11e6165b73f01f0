"""Streams in the Amaranth simulator: drive, take, watch, and never without a deadline."""

from collections.abc import Callable, Coroutine, Iterable
from random import Random
from typing import Any

from amaranth.hdl import Elaboratable, Value
from amaranth.lib import stream
from amaranth.sim import Simulator

__all__ = ["Testbench", "receive", "send", "simulate", "watch"]

Testbench = Callable[[Any], Coroutine[Any, Any, None]]
"""What :func:`simulate` runs: an async function of the simulator's context."""


async def send(
    ctx: Any, target: stream.Interface, payloads: Iterable[Any], rng: Random | None = None
) -> None:
    """Offer ``payloads`` one after the other; with ``rng`` after random pauses.

    Without ``rng`` a payload is offered in every cycle. Returns in the cycle after the last one
    was taken, with ``valid`` at 0.
    """
    is_offered = False  # each set settles the logic anew: only where something changes
    for payload in payloads:
        while rng is not None and rng.random() < 0.5:
            if is_offered:
                ctx.set(target.valid, 0)
            is_offered = False
            await ctx.tick()
        ctx.set(target.payload, payload)
        if not is_offered:
            ctx.set(target.valid, 1)
        is_offered, taken = True, False
        while not taken:
            *_, taken = await ctx.tick().sample(target.ready)
    ctx.set(target.valid, 0)


async def receive(
    ctx: Any, source: stream.Interface, count: int, rng: Random | None = None
) -> list[Any]:
    """Take ``count`` payloads and return them; with ``rng`` ready only now and then.

    Without ``rng`` always ready. Returns in the cycle after the last one was taken, with
    ``ready`` at 0.
    """
    payloads: list[Any] = []
    bits, read = _raw(source.payload)
    was_ready = None
    while len(payloads) < count:
        is_ready = rng is None or rng.random() < 0.5
        if is_ready != was_ready:
            ctx.set(source.ready, is_ready)
        was_ready = is_ready
        *_, valid, ready, payload = await ctx.tick().sample(source.valid, source.ready, bits)
        if valid and ready:
            payloads.append(read(payload))
    ctx.set(source.ready, 0)
    return payloads


def watch(watched: stream.Interface, log: list[tuple[int, Any]] | None = None) -> Testbench:
    """Return a monitor: once offered, ``valid`` and the payload stay until the payload is taken.

    Appends (cycle, payload) to ``log`` for every payload taken; cycle 0 is the first of the
    simulation. Pass the monitor to :func:`simulate` as one of ``monitors``.
    """

    async def monitor(ctx: Any) -> None:
        cycle = 0
        pending = None
        bits, read = _raw(watched.payload)
        async for *_, valid, ready, payload in ctx.tick().sample(
            watched.valid, watched.ready, bits
        ):
            if pending is not None:
                where = f"cycle {cycle}"
                assert valid, f"{where}: an offered payload was withdrawn: {read(pending)}"
                assert payload == pending, f"{where}: {read(pending)} became {read(payload)}"
            if valid and ready and log is not None:
                log.append((cycle, read(payload)))
            pending = payload if valid and not ready else None
            cycle += 1

    return monitor


def _raw(payload: Any) -> tuple[Value, Callable[[int], Any]]:
    """What to sample of a payload, and how to read it: a structure is read where it is wanted.

    Amaranth walks a whole layout for each value of it, which would be in every cycle.
    """
    if isinstance(payload, Value):
        return payload, int
    return Value.cast(payload), payload.shape().from_bits


def simulate(
    dut: Elaboratable, *testbenches: Testbench, deadline: int, monitors: Iterable[Testbench] = ()
) -> None:
    """Run ``dut`` on one clock until all ``testbenches`` return; ``monitors`` run as long.

    Where a simulation is meant to fail, its testbenches must not wait by ``tick().until()`` or
    ``tick().repeat()``: abandoned there, Amaranth 0.5.10 complains as it is collected.

    Raises
    ------
    TimeoutError
        If a testbench still runs after ``deadline`` cycles.
    """

    async def alarm(ctx: Any) -> None:
        for _ in range(deadline):
            await ctx.tick()
        raise TimeoutError(f"the simulation must end within {deadline} cycles")

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for monitor in (alarm, *monitors):
        simulator.add_testbench(monitor, background=True)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()
