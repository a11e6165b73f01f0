"""An accelerator on a board, used from Python: load a network, send images, take logits."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import constant_values
from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.link.frames import MOST_WORDS
from kakure.model.link.host import Host
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.sim.runner.golden import pack_image

__all__ = ["BoardClient"]

IDLE_ASKS = 2000
"""Requests without a word in either direction after which the board counts as stuck."""


class BoardClient:
    """A network on a board at the other end of a link.

    Parameters
    ----------
    host : Host
    config : Config
        What the board must hold.

    Raises
    ------
    UserError
        If nothing answers, or the board holds something else.
    """

    def __init__(self, host: Host, config: Config) -> None:
        self.host = host
        self.config = config
        architecture = architecture_of(config)
        self._offsets = {register.name: register.offset for register in architecture.registers}
        self._masks = {
            (register.name, field.name): field.mask
            for register in architecture.registers
            for field in register.fields
        }
        host.hello()
        for name, expected in constant_values(architecture.digest).items():
            found = self.register(name)
            if found != expected:
                raise UserError(
                    f"{name}: must be {expected:#010x}, as kakure gen makes {config.name}",
                    value=f"{found:#010x}",
                )
        self.reset()

    def register(self, name: str) -> int:
        """Value of a register of the register map."""
        return self.host.read(self._offsets[name])

    def control(self, *fields: str) -> None:
        """Write these fields of CONTROL as ones, the others as zeros."""
        value = sum(self._masks["CONTROL", field] for field in fields)
        self.host.write(self._offsets["CONTROL"], value)

    def reset(self) -> None:
        """Forget network, images and results."""
        self.control("RESET")
        self.host.hello()

    def load(self, parameters: Parameters) -> None:
        """Load what was trained; a board that holds a network must be reset before.

        Raises
        ------
        UserError
            If the accelerator refuses it.
        """
        self._exchange(image_words(self.config, parameters), 0)
        for _ in range(IDLE_ASKS):
            self._check()
            if self.register("STATUS") & self._masks["STATUS", "LOADED"]:
                return
        raise UserError("the board must have loaded the network; STATUS.LOADED is still 0")

    def run(
        self, images: NDArray[np.uint8], progress: Callable[[int], object] = lambda _: None
    ) -> NDArray[np.int64]:
        """Logits (n, classes) of images (n, height, width, channels).

        Parameters
        ----------
        progress : function
            Is told how many whole results have come since it was told last.

        Raises
        ------
        UserError
            If the accelerator finds an error, or nothing comes any more.
        """
        self.control("BATCH")  # one frame of all images: few requests
        words = [word for image in images for word in pack_image(image)]
        classes = self.config.geometry[-1].outputs
        came = self._exchange(words, len(images) * classes, classes, progress)
        return np.array(came, np.uint32).astype(np.int32).astype(np.int64).reshape(-1, classes)

    def _exchange(
        self,
        words: list[int],
        expected: int,
        classes: int = 1,
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[int]:
        """Send words as one frame, and take so many as answer it; ``classes`` are a result."""
        most = min(MOST_WORDS, self.host.depth)
        sent, idle = 0, 0
        came: list[int] = []
        while sent < len(words) or len(came) < expected:
            chunk, moved = words[sent : sent + most], 0
            if chunk and self.host.send(chunk, is_last=sent + len(chunk) == len(words)):
                moved = len(chunk)
                sent += moved
            else:
                found = self.host.receive(most)
                before = len(came) // classes
                came += found
                moved = len(found)
                progress(len(came) // classes - before)
            idle = 0 if moved else idle + 1
            if idle:
                self._check()
            if idle > IDLE_ASKS:
                raise UserError(
                    f"the board must answer with {expected} words; it is stuck after",
                    value=f"{len(came)}",
                )
        return came

    def _check(self) -> None:
        """UserError if the accelerator has found an error."""
        code = self.register("ERROR") & self._masks["ERROR", "CODE"]
        if code:
            raise UserError(f"the accelerator has found an error: {ErrorCode(code).name}")
