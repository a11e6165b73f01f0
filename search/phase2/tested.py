"""The test images: they choose nothing, and are looked at once, when all is chosen."""

from dataclasses import dataclass
from pathlib import Path

from kakure.model.config.config import Config
from kakure.model.datasets.images import load_images
from kakure.model.parameters.parameters import Parameters

from .paired import Paired
from .witness import rights

__all__ = ["Tested", "on_test_images"]


@dataclass(frozen=True)
class Tested:
    """A network beside its reference on the test images.

    Attributes
    ----------
    reference : int
        Test images that the reference classifies right.
    paired : Paired
    """

    reference: int
    paired: Paired

    @property
    def correct(self) -> int:
        """Test images that the network classifies right."""
        return self.reference - self.paired.lost + self.paired.gained

    @property
    def count(self) -> int:
        """All test images."""
        return self.paired.count


def on_test_images(
    reference: tuple[Config, Parameters], other: tuple[Config, Parameters], folder: Path
) -> Tested:
    """Compare two networks on the test images of the data set, as integers.

    Parameters
    ----------
    folder : Path
        Where the configuration lies: a ``dataset`` that is a folder is relative to it.
    """
    data = load_images(reference[0], folder, "test")
    before = rights(*reference, data)
    return Tested(int(before.sum()), Paired.of(before, rights(*other, data)))
