"""Every data set that a configuration can name; any other is a folder of idx files."""

from .cifar10 import CIFAR10
from .dataset import Dataset
from .digits import DIGITS
from .fashion_mnist import FASHION_MNIST

__all__ = ["DATASETS"]

DATASETS: dict[str, Dataset] = {
    "digits": DIGITS,
    "fashion-mnist": FASHION_MNIST,
    "cifar10": CIFAR10,
}
"""A data set is a file of this folder, and a line here."""
