"""AXI4-Lite in the Amaranth simulator: one register access at a time."""

from typing import Any

__all__ = ["read", "write"]


async def read(ctx: Any, target: Any, address: int, *, wait: int = 0) -> tuple[int, int]:
    """Read a register of a component with ports ``s_axi_*``; return its value and the response.

    The answer must be there in the cycle after the one that takes the address, and must stay
    for the ``wait`` cycles that pass before RREADY.
    """
    ctx.set(target.s_axi_araddr, address)
    ctx.set(target.s_axi_arvalid, 1)
    await _taken(ctx, target.s_axi_arready)
    ctx.set(target.s_axi_arvalid, 0)
    answer = (target.s_axi_rdata, target.s_axi_rresp)
    value, response = await _answered(ctx, target.s_axi_rvalid, target.s_axi_rready, answer, wait)
    return value, response


async def write(
    ctx: Any, target: Any, address: int, value: int, *, strobe: int = 0b1111, wait: int = 0
) -> int:
    """Write a register and return the response, which must come and stay as in :func:`read`."""
    ctx.set(target.s_axi_awaddr, address)
    ctx.set(target.s_axi_wdata, value)
    ctx.set(target.s_axi_wstrb, strobe)
    ctx.set(target.s_axi_awvalid, 1)
    ctx.set(target.s_axi_wvalid, 1)
    await _taken(ctx, target.s_axi_awready & target.s_axi_wready)
    ctx.set(target.s_axi_awvalid, 0)
    ctx.set(target.s_axi_wvalid, 0)
    answer = (target.s_axi_bresp,)
    (response,) = await _answered(ctx, target.s_axi_bvalid, target.s_axi_bready, answer, wait)
    return response


async def _taken(ctx: Any, ready: Any) -> None:
    is_taken = False
    while not is_taken:
        *_, is_taken = await ctx.tick().sample(ready)


async def _answered(
    ctx: Any, valid: Any, ready: Any, answer: tuple[Any, ...], wait: int
) -> tuple[int, ...]:
    seen = []
    for cycle in range(wait + 1):
        ctx.set(ready, cycle == wait)
        *_, is_valid, values = await _sample(ctx, valid, answer)
        assert is_valid, f"an answer must be there {cycle + 1} cycles after its request"
        seen.append(values)
    ctx.set(ready, 0)
    assert all(values == seen[0] for values in seen), f"an answer must stay, not change: {seen}"
    return seen[0]


async def _sample(ctx: Any, valid: Any, answer: tuple[Any, ...]) -> tuple[bool, tuple[int, ...]]:
    *_, is_valid, first, last = await ctx.tick().sample(valid, answer[0], answer[-1])
    return is_valid, (first, last)[: len(answer)]
