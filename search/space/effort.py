"""How much a search spends."""

from typing import Literal

from pydantic import Field

from kakure.model.config.schema import Schema

__all__ = ["MOST_EPOCHS", "MOST_PARTS", "MOST_PRECISIONS", "Effort"]

MOST_EPOCHS = 1000
MOST_PARTS = 50
MOST_PRECISIONS = 10_000


class Effort(Schema):
    """How much a search spends, and which accuracy it may give up."""

    candidates: int = Field(default=4, ge=1, le=64)
    """Best networks of phase 1 that are scored."""
    score: Literal["training", "naswot", "parameters"] = "training"
    """What chooses among them: accuracy after a short training, NASWOT, or the network's size."""
    score_epochs: int = Field(default=3, ge=1, le=MOST_EPOCHS)
    """Length of the short training."""
    epochs: int = Field(default=20, ge=1, le=MOST_EPOCHS)
    """Length of the chosen network's training."""
    tuning_epochs: int = Field(default=2, ge=1, le=MOST_EPOCHS)
    """Length of the fine-tuning at another precision."""
    precisions: int = Field(default=24, ge=1, le=MOST_PRECISIONS)
    """Precisions whose accuracy phase 2 measures, at most."""
    accuracy_loss: float = Field(default=0.01, ge=0, lt=1)
    """How far the accuracy may fall below that at the precision which phase 1 assumes."""
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    """That the loss keeps within ``accuracy_loss``, shown on images that chose nothing."""
    parts: int = Field(default=5, ge=1, le=MOST_PARTS)
    """Parts of the training images that show it, each for a network trained without it; 1 keeps a
    tenth of the images from the chosen network's own training: for large sets."""
