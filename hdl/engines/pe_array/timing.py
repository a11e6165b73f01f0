"""Cycles of a PE array: batches of windows, whose sums leave one by one."""

from kakure.hdl.engines.engine import Push

from .schedule import PeSchedule

__all__ = ["PeArrayTiming"]


class PeArrayTiming:
    """Stores the windows of a batch, makes its weights and works, sends the sums one by one."""

    def __init__(self, schedule: PeSchedule, following: Push) -> None:
        self.schedule = schedule
        self.following = following
        self.count = 0
        self.free = 0

    def push(self, offered: int) -> int:
        schedule = self.schedule
        taken = max(offered, self.free) + schedule.store_cycles - 1
        self.free = taken + 1
        self.count += 1
        in_batch = (self.count - 1) % schedule.pixels + 1
        if in_batch == schedule.pixels or self.count == schedule.positions:
            ready = taken + schedule.work_cycles
            for _ in range(in_batch):
                ready = self.following(ready) + 1
            self.free = ready
        self.count %= schedule.positions
        return taken
