"""A serial port as the transport of a host."""

import serial

from kakure.model.errors import UserError
from kakure.model.link.frames import BAUD

__all__ = ["SerialLine"]

ANSWER_S = 0.25
"""How long a byte is waited for [s]."""


class SerialLine:
    """An open port.

    Parameters
    ----------
    port : str
        Name of a device, or what pyserial takes as a URL, such as ``socket://localhost:7000``.
    baud : int

    Raises
    ------
    UserError
        If it cannot be opened.
    """

    def __init__(self, port: str, baud: int = BAUD) -> None:
        self.port = port
        try:
            self._serial = serial.serial_for_url(port, baudrate=baud, timeout=ANSWER_S)
        except (serial.SerialException, ValueError) as error:
            raise UserError(f"{port}: must be a serial port that can be opened: {error}") from None

    def write(self, data: bytes) -> None:
        """Send bytes; UserError if the port is gone."""
        try:
            self._serial.write(data)
        except serial.SerialException as error:
            raise UserError(f"{self.port}: must stay open: {error}") from None

    def read(self, count: int) -> bytes:
        """``count`` bytes, fewer if a while passes without one; UserError if the port is gone."""
        try:
            return self._serial.read(count)
        except serial.SerialException as error:
            raise UserError(f"{self.port}: must stay open: {error}") from None

    def close(self) -> None:
        """Give the port back."""
        self._serial.close()
