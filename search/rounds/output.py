"""The files of a search's result: best.json, its parameters, search.json, plots and the page."""

import json
import os
from dataclasses import replace
from pathlib import Path

from kakure.hdl.emission.artifacts import BUILD, replaced_folder
from kakure.model.config.config import Config, load_config
from kakure.model.datasets.table import DATASETS
from kakure.model.errors import UserError
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.search.report.page import page
from kakure.search.report.plots import PLOTS, draw
from kakure.search.space.space import Space

from .run import Result

__all__ = ["PARAMETERS", "check_output", "output_folder", "shipped", "write_result"]

PARAMETERS = "best.safetensors"
"""Name of the trained parameters, beside best.json."""


def output_folder(space: Space) -> Path:
    """Where the result of a space lies, unless another folder is asked for."""
    return BUILD / "search" / f"{space.name}-{space.digest[:12]}"


def shipped(config: Config, source: Path, target: Path, parameters: str = PARAMETERS) -> Config:
    """The configuration as it is written into ``target``: paths are relative to there."""
    dataset = config.dataset
    if dataset not in DATASETS:
        dataset = os.path.relpath((source / dataset).resolve(), target.resolve())
    return config.changed(dataset=dataset, parameters=parameters)


def check_output(folder: Path) -> None:
    """Refuse a folder that holds something else than a search's result, or cannot be written."""
    if os.path.lexists(folder):
        ours = {"best.json", PARAMETERS, "search.json", "index.html", *(f"{p}.png" for p in PLOTS)}
        if not folder.is_dir() or {path.name for path in folder.iterdir()} - ours:
            raise UserError(
                "must be new, or hold the result of a search and nothing else",
                where=("--output",),
                file=folder,
            )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.with_name(f".{folder.name}.lock").touch()  # which its writers hold
    except OSError as error:
        raise UserError(
            f"cannot be made: {error.strerror}", where=("--output",), file=folder
        ) from None


def write_result(
    result: Result, folder: Path, source: Path, command: str, seconds: float | None = None
) -> Path:
    """Write everything into ``folder``, which is replaced as a whole, at the end.

    Parameters
    ----------
    folder : Path
    source : Path
        Where the space's file lies.
    command : str
        That found the result.
    seconds : float, optional
        That it took; on the page alone, as search.json is the same every time.

    Returns
    -------
    Path
        best.json.

    Raises
    ------
    UserError
        If ``folder`` holds something else than a search's result.
    """
    check_output(folder)
    config = shipped(result.config, source, folder)
    best = {**result.record["best"], "config": config.model_dump(mode="json")}
    best["digest"] = config.digest
    record = {**result.record, "best": best, "command": command}
    pictures = draw(record)
    with replaced_folder(folder) as new:
        (new / "best.json").write_text(
            config.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8"
        )
        metadata = {**result.parameters.metadata, "config": config.digest}
        metadata["validation"] = f"{result.record['best']['accuracy']['validation']:.4f}"
        save_parameters(new / PARAMETERS, config, replace(result.parameters, metadata=metadata))
        (new / "search.json").write_text(
            json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
        for name, data in pictures.items():
            (new / f"{name}.png").write_bytes(data)
        text = page(record, pictures, config=str(folder / "best.json"), seconds=seconds)
        (new / "index.html").write_text(text, encoding="utf-8")
        written = load_config(new / "best.json")
        load_parameters(new / PARAMETERS, written)
    return folder / "best.json"
