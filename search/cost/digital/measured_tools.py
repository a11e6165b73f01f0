"""The tools that many points were measured with."""

from collections.abc import Iterable, Mapping

__all__ = ["common_tools"]

MEMORY_MODEL = "memory_model"


def common_tools(found: Iterable[Mapping[str, str]]) -> dict[str, str] | None:
    """The tools of all, or None if they are not the same.

    Only the models of memories may differ, as memories are of different cells: all are named.
    """
    tools: set[tuple[tuple[str, str], ...]] = set()
    models: set[str] = set()
    for one in found:
        tools.add(tuple(sorted(item for item in one.items() if item[0] != MEMORY_MODEL)))
        models |= {one[MEMORY_MODEL]} if MEMORY_MODEL in one else set()
    if len(tools) != 1:
        return None
    model = {MEMORY_MODEL: "; ".join(sorted(models))} if models else {}
    return dict(sorted({**dict(tools.pop()), **model}.items()))
