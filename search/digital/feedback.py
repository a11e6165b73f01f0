"""Synthesis in the loop of a search: configurations measured, and a fit that has seen them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hdl.synthesis.flow import CACHE
from model.config import Config
from model.errors import UserError

from .fit import fit
from .measured import MEASURED, Measurement, read_measured, run
from .samples import Sample

__all__ = ["measure_configs", "refit", "sample_of"]


@dataclass(frozen=True)
class _Seen(Sample):
    """A sample that is in the fit, whatever its hash says."""

    @property
    def is_held_out(self) -> bool:
        return False


def sample_of(config: Config) -> Sample:
    """The accelerator of a configuration as a sample; its name and its parameters do not matter.

    Raises
    ------
    UserError
        If the weights are not hidden ones: there is no hardware for others.
    """
    if config.weights.kind != "hidden":
        raise UserError(f"weights.kind must be hidden, not {config.weights.kind}")
    values = config.model_dump(mode="json", exclude={"parameters"}, exclude_none=True)
    values |= {"name": "sample", "dataset": "images", "input_shape": list(config.shape)}
    return Sample("accelerator", json.loads(json.dumps(values)))


def measure_configs(
    configs: Sequence[Config],
    *,
    path: Path,
    cache: Path = CACHE,
    jobs: int = 2,
    progress: bool | None = None,
) -> list[Measurement]:
    """Synthesize whole accelerators, and return what was found in the order of ``configs``.

    Parameters
    ----------
    configs : sequence of Config
        With hidden weights.
    path : Path
        File of measurements, not the one of the calibration. Each is appended when it is done;
        one that is there is taken from there if the generators still write the same Verilog.
    cache : Path
        Folder of mapped modules.
    jobs : int
        Configurations at a time.
    progress : bool, optional
        Whether to show a bar with the time left; by default where stderr is a terminal.

    Raises
    ------
    UserError
        If a configuration has other weights, or the file is broken.
    """
    samples = [sample_of(config) for config in configs]
    if not samples:
        return []
    unique = {sample.key: sample for sample in samples}
    path.parent.mkdir(parents=True, exist_ok=True)
    run(list(unique.values()), path=path, cache=cache, jobs=jobs, check=True, progress=progress)
    found = {m.sample.key: m for m in read_measured(path)}
    return [found[sample.key] for sample in samples]


def refit(extra: Sequence[Measurement], *, path: Path = MEASURED) -> dict[str, Any]:
    """Fit the points of the calibration and ``extra``, all of which the fit sees.

    Every module below the tops of ``extra`` is a point of its block, and widens its range. What
    is held out of the calibration stays so, unless ``extra`` holds the same Verilog.

    Parameters
    ----------
    extra : sequence of Measurement
        As :func:`measure_configs` returns them.
    path : Path
        Points of the calibration.

    Returns
    -------
    dict
        As ``coefficients.json``, for ``DigitalModel(coefficients=...)``; ``feedback`` is the
        number of extra points.

    Raises
    ------
    UserError
        If ``extra`` was measured with other tools than the calibration.
    """
    known = {m.verilog: m for m in extra}
    stored = [m for m in read_measured(path) if m.verilog not in known]
    seen = [replace(m, sample=_Seen(m.sample.block, m.sample.parameters)) for m in known.values()]
    return fit([*stored, *seen]) | {"feedback": len(seen)}
