"""Cycles of a crossbar: one grid that reads its window in place, or several with a register."""

from kakure.hdl.engines.engine import Push

__all__ = ["CrossbarTiming"]


class _Grid:
    """Works on a window for ``cycles`` cycles, once its last result is taken."""

    def __init__(self, cycles: int) -> None:
        self.cycles = cycles
        self.free = 0

    def start(self, offered: int) -> int:
        """The cycle in which a window offered from ``offered`` on is taken."""
        return max(offered, self.free) + self.cycles - 1


class CrossbarTiming:
    """One grid that reads its window in place, or several with a register each."""

    def __init__(self, cycles: int, copies: int, following: Push) -> None:
        self.grids = [_Grid(cycles) for _ in range(copies)]
        self.following = following
        self.turn = 0
        self.dealt = -1
        self.registers_free = [0] * copies

    def push(self, offered: int) -> int:
        grid = self.grids[self.turn]
        copies = len(self.grids)
        if copies == 1:
            taken = done = grid.start(offered)
        else:
            taken = max(offered, self.registers_free[self.turn], self.dealt + 1)
            self.dealt = taken
            done = grid.start(taken + 1)
            self.registers_free[self.turn] = done
        grid.free = self.following(done + 1)
        self.turn = (self.turn + 1) % copies
        return taken
