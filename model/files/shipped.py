"""The configurations and search spaces that come with Kakure."""

from pathlib import Path

__all__ = ["CONFIGS"]

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
"""Their folder, in a checkout as in an installed package."""
