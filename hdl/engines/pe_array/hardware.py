"""A PE array as an engine: component, cycles, size."""

from kakure.hdl.engines.engine import Engine, Push
from kakure.hdl.engines.ports import planes_of
from kakure.model.config.config import Config

from .batch_engine import BatchEngine
from .engine import PeEngine
from .identity import pe_identity
from .plane_engine import PlaneEngine
from .schedule import PeSchedule
from .timing import PeArrayTiming

__all__ = ["PeHardware"]


class PeHardware(Engine):
    """A layer's bit-serial array, which works on a batch of positions at a time."""

    def __init__(self, config: Config, index: int) -> None:
        self.config = config
        self.index = index
        self.schedule = PeSchedule(config, index)

    def component(self) -> BatchEngine:
        """The hardware itself."""
        kind = PlaneEngine if planes_of(self.config) else PeEngine
        return kind(config=self.config, index=self.index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """Size of the array, and what its signs are made of."""
        return pe_identity(self.config, self.index)

    @property
    def bus_widths(self) -> dict[str, int]:
        """Bits of what goes into the array and what comes out."""
        schedule = self.schedule
        inputs, outputs, pixels = schedule.inputs, schedule.outputs, schedule.pixels
        sum_bits = schedule.geometry.peak.bit_length() + 1
        polarities = 1 if planes_of(self.config) else 2
        operands = pixels * inputs * schedule.geometry.input_bits + polarities * inputs * outputs
        return {
            "a block of the PE array": operands,
            "the sums of the PE array": pixels * schedule.banks * outputs * sum_bits,
        }

    @property
    def windows_held(self) -> int:
        """A batch: no window is taken before the sums of the last batch are gone."""
        return self.schedule.pixels

    @property
    def cycles_per_vector(self) -> float:
        """Cycles of a full batch, shared by its positions."""
        return self.schedule.batch_cycles / self.schedule.pixels

    @property
    def cycles_per_image(self) -> int:
        """Cycles to store all windows, work on all batches and send all sums."""
        schedule = self.schedule
        batches = -(-schedule.positions // schedule.pixels)
        stored_and_sent = schedule.positions * (schedule.store_cycles + 1)
        return stored_and_sent + batches * (schedule.work_cycles - 1)

    def timing(self, following: Push) -> Push:
        """Follow windows to the cycle."""
        return PeArrayTiming(self.schedule, following).push

    @property
    def takes_planes(self) -> bool:
        """It has."""
        return True

    @property
    def adders(self) -> int:
        """Processing elements."""
        return self.schedule.outputs * self.schedule.pixels
