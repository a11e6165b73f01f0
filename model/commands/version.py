"""The version of Kakure that runs."""

import tomllib
from importlib import metadata
from pathlib import Path

__all__ = ["version"]

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
"""Beside the packages in a checkout; an installed Kakure has none."""


def version() -> str:
    """Of the checkout whose sources run, or of the installed distribution."""
    if PROJECT.is_file():
        return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    return metadata.version("kakure")
