# amaranth: UnusedElaboratable=no
"""The queue beside an engine, and how deep it has to be."""

from collections import deque
from random import Random

import pytest

from kakure.hdl.engines.crossbar.engine import CrossbarEngine
from kakure.hdl.engines.pe_array.engine import PeEngine
from kakure.hdl.engines.table import engine_of
from kakure.hdl.stages.shortcut import Shortcut
from kakure.sim.drivers.core import compare_core
from kakure.sim.drivers.streams import simulate
from tests.test_hdl_accelerators_spatial_core import config_of, crossbar, pe_array


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8])
def test_pixels_come_out_in_order(depth):
    dut = Shortcut(depth=depth, channels=3, bits=4)
    rng = Random(depth)
    queue: deque[list[int]] = deque()

    async def bench(ctx):
        deepest = 0
        for _ in range(300):
            pop = len(queue) > 0 and rng.random() < 0.5
            push = len(queue) - pop < depth and rng.random() < 0.6
            pixel = [rng.randrange(16) for _ in range(3)]
            ctx.set(dut.i, pixel)
            ctx.set(dut.push, push)
            ctx.set(dut.pop, pop)
            if queue:
                assert list(ctx.get(dut.o)) == queue[0]
            await ctx.tick()
            if pop:
                queue.popleft()
            if push:
                queue.append(pixel)
            deepest = max(deepest, len(queue))
        assert deepest == depth

    simulate(dut, bench, deadline=400)


ENGINES = {
    "one crossbar": crossbar(2, kernel=3, sharing=2, adc="flash", bits=3, inputs=2),
    "one crossbar, one cycle": crossbar(2, kernel=1, sharing=1, adc="flash", bits=2, inputs=1),
    "three copies": crossbar(2, kernel=3, sharing=1, adc="flash", bits=3, inputs=2, copies=3),
    "two slow copies": crossbar(2, kernel=3, sharing=2, adc="sar", bits=3, inputs=4, copies=2),
    "a PE array": pe_array(2, kernel=3, inputs=3),
    "a PE array of one pixel": pe_array(2, kernel=1, inputs=3),
}


def residual(name):
    pixels = 1 if "one pixel" in name else 4
    return config_of(
        (5, 6, 2),
        ENGINES[name] | {"residual": True},
        crossbar(3, sharing=4, adc="sar", bits=3, inputs=2),
        pe_array=(4, 2, pixels),
    )


@pytest.mark.parametrize("name", ENGINES)
def test_it_is_just_deep_enough(name):
    """With its sums held up, an engine takes as many windows as there are places, and no more."""
    config = residual(name)
    is_crossbar = config.layers[0].engine == "crossbar"
    engine = (CrossbarEngine if is_crossbar else PeEngine)(config=config, index=0)
    rng = Random(2)
    inside = []

    async def bench(ctx):
        ctx.set(engine.i.valid, 1)
        count = 0
        for cycle in range(3000):
            ctx.set(engine.o.ready, rng.random() < 0.02 or cycle % 600 > 500)
            _, _, takes, offers, leaves = await ctx.tick().sample(
                engine.i.ready, engine.o.valid, engine.o.ready
            )
            assert count or not offers
            count += takes - (offers & leaves)
            inside.append(count)

    simulate(engine, bench, deadline=4000)
    assert max(inside) == engine_of(config, 0).windows_held


@pytest.mark.parametrize("name", ENGINES)
def test_a_residual_layer_equals_the_reference_in_the_same_cycles(name):
    compare_core(residual(name), images=3, gaps=1, seed=3)


@pytest.mark.parametrize(("reads", "writes"), [(1, 4), (4, 1), (3, 3), (8, 5)])
def test_widths_are_aligned_at_the_most_significant_bit(reads, writes):
    config = config_of(
        (4, 3, 3),
        crossbar(3, kernel=3, sharing=2, adc="flash", bits=4, inputs=reads, residual=True),
        crossbar(2, sharing=1, adc="flash", bits=4, inputs=writes),
        crossbar=(16, 4),
    )
    assert config.geometry[0].shortcut_bits == min(reads, writes)
    compare_core(config, images=3, gaps=1, seed=3)


@pytest.mark.parametrize("name", ["depth", "channels", "bits"])
def test_rejects(name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, not 0$"):
        Shortcut(**{"depth": 1, "channels": 1, "bits": 1, name: 0})
