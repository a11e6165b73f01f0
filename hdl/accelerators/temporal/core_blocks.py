"""What the temporal core consists of."""

from dataclasses import dataclass

from amaranth.hdl import Module, Shape

from kakure.hdl.accelerators.frame_gate import FrameGate
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.hdl.weights.image_reader import IMAGE_WORD
from kakure.model.config.accelerators.temporal import TemporalConfig

from .image_writer import ImageWriter
from .logit_sender import LogitSender
from .operation import Sizes, operation_layout
from .processor import TemporalProcessor
from .program_reader import ProgramReader
from .record import WORD, record_words
from .widths import MEMORY_CELLS
from .work_counters import WorkCounters

__all__ = ["CoreBlocks"]


@dataclass(frozen=True)
class CoreBlocks:
    """Blocks of a core, in the order in which they are placed.

    Attributes
    ----------
    gate : FrameGate
        Lets images in, and says what of them may be sent.
    front : StreamRegister
        Takes all words.
    reader : ProgramReader
        Takes the first ones.
    writer : ImageWriter
        Takes those of images.
    processor : TemporalProcessor
        Works on an operation at a time.
    sender : LogitSender
        Sends results.
    program : Ram
        Words of operations.
    work : WorkCounters
        Count what the array does.
    """

    gate: FrameGate
    front: StreamRegister
    reader: ProgramReader
    writer: ImageWriter
    processor: TemporalProcessor
    sender: LogitSender
    program: Ram
    work: WorkCounters

    @classmethod
    def of(cls, array: TemporalConfig, sizes: Sizes, *, judges: bool) -> "CoreBlocks":
        """Those of a core that holds so much; ``judges`` is that of its sender."""
        depth = sizes.operations * record_words(operation_layout(array, sizes))
        return cls(
            gate=FrameGate(image_words=None),
            front=StreamRegister(width=Shape.cast(IMAGE_WORD).width),
            reader=ProgramReader(array=array, sizes=sizes),
            writer=ImageWriter(word=array.word, banks=array.slots, rows=sizes.rows),
            processor=TemporalProcessor(array=array, sizes=sizes, sum_bits=sizes.sum_bits),
            sender=LogitSender(outputs=array.outputs, depth=sizes.logits, judges=judges),
            program=Ram(depth=depth, width=WORD, cells=MEMORY_CELLS),
            work=WorkCounters(lanes=array.lanes),
        )

    def place(self, m: Module, platform: Platform | None) -> None:
        """Place all in ``m``; a new load resets what takes its words."""
        restarts = self.gate.restarts
        m.submodules.gate = place(self.gate, platform)
        m.submodules.front = place(self.front, platform, reset=restarts)
        m.submodules.reader = place(self.reader, platform, reset=restarts)
        m.submodules.writer = place(self.writer, platform)
        m.submodules.processor = place(self.processor, platform)
        m.submodules.sender = place(self.sender, platform)
        m.submodules.program = place(self.program, platform)
        m.submodules.work = place(self.work, platform)
