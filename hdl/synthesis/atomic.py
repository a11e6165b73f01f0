"""Writing a file so that it is either whole or not there."""

from model.atomic import write_atomically

__all__ = ["write_atomically"]
