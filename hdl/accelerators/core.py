"""The ports of an accelerator without its buses: words in, results out."""

from typing import Any

from amaranth.hdl import Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import PLANES_BITS, THRESHOLD_BITS, Register
from kakure.hdl.engines.ports import planes_of
from kakure.hdl.weights.image_reader import IMAGE_WORD
from kakure.model.config.config import Config

__all__ = ["Core"]


class Core(wiring.Component):
    """What an accelerator's buses and registers are put around; each kind is a subclass.

    Parameters
    ----------
    config : Config

    Members
    -------
    i : ``In(stream)`` of ``word``, ``last``
        The supermask image, ``last`` with its final word and no other; then images, as
        :class:`~kakure.hdl.accelerators.pixel_unpacker.PixelUnpacker` reads them, ``last`` with the
        final word of each.
    o : ``Out(stream)`` of ``word``, ``last``
        Results, as :class:`~kakure.hdl.accelerators.result_sender.ResultSender` sends them.
    sends_class : ``In(1)``
        Results are classes, not logits; taken as
        :class:`~kakure.hdl.accelerators.result_sender.ResultSender` does.
    is_split, is_batch : ``In(1)``
        ``last`` is not looked at in a supermask image; need not come with the end of an image.
    load, clear : ``In(1)``
        In this cycle a new supermask image is announced; errors of images are forgotten.
    loaded : ``Out(1)``
        Words belong to images.
    error : ``Out(ErrorCode)``
        The first thing that was wrong.
    error_layer : ``Out(8)``
        The layer of an error of loading, else 0.
    restarts, is_waiting, dropped, is_busy : Out
        As those of :class:`~kakure.hdl.accelerators.frame_gate.FrameGate`.
    own : ``Out(struct)``, where there are ``own_registers``
        What those show, 32 bits each, by their names.
    tried, threshold : ``In(8)``, ``In(32)``, with bitwise weights
        What registers PLANES and THRESHOLD say.
    """

    own_registers: tuple[Register, ...] = ()
    """What this kind shows beside the registers of all accelerators."""

    i: stream.Interface
    o: stream.Interface
    sends_class: Signal
    is_split: Signal
    is_batch: Signal
    load: Signal
    clear: Signal
    loaded: Signal
    error: Any
    error_layer: Signal
    restarts: Signal
    is_waiting: Signal
    dropped: Signal
    is_busy: Signal
    own: Any
    tried: Signal
    threshold: Signal

    def __init__(self, *, config: Config) -> None:
        self.config = config
        shown = data.StructLayout({register.name: 32 for register in self.own_registers})
        super().__init__({
            "i": In(stream.Signature(IMAGE_WORD)),
            "o": Out(stream.Signature(data.StructLayout({"word": 32, "last": 1}))),
            "sends_class": In(1),
            "is_split": In(1),
            "is_batch": In(1),
            "load": In(1),
            "clear": In(1),
            "loaded": Out(1),
            "error": Out(ErrorCode),
            "error_layer": Out(8),
            "restarts": Out(1),
            "is_waiting": Out(1),
            "dropped": Out(32),
            "is_busy": Out(1),
            **({"own": Out(shown)} if self.own_registers else {}),
            **(
                {"tried": In(PLANES_BITS), "threshold": In(THRESHOLD_BITS)}
                if planes_of(config)
                else {}
            ),
        })
