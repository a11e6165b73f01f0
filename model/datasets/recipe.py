"""How long and how a network is trained, and how its images are varied meanwhile."""

from dataclasses import dataclass

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but its seed and its device.

    Attributes
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of SGD with Nesterov momentum 0.9; the rate falls to 0 along a cosine.
    smoothing : float
        Label smoothing.
    validation : int
        One training image of this many is held out to choose the epoch that is exported.
    shift : float
        Largest displacement to each side [pixel].
    rotate : float
        Largest rotation to each side [degree].
    zoom : float
        Largest change of size, as a fraction.
    bend : float
        Largest local displacement, smooth over a third of the image [pixel].
    mirror : bool
        Whether left and right may change places.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 1e-4
    smoothing: float = 0.0
    validation: int = 10
    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    bend: float = 0.0
    mirror: bool = False
