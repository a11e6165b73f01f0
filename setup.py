"""The wheel: the folders at the top are the packages ``kakure.model``, ``kakure.hdl`` and so on."""

from setuptools import find_packages, setup

FOLDERS = ("model", "hdl", "sim", "search")
DATA = ("configs",)
"""Folders without code."""

setup(
    packages=[
        f"kakure.{name}"
        for name in (
            *find_packages(include=[f"{f}{end}" for f in FOLDERS for end in ("", ".*")]),
            *DATA,
        )
    ],
    package_dir={f"kakure.{folder}": folder for folder in (*FOLDERS, *DATA)},
)
