"""Synthesis in the loop of a search: configurations measured, and a fit that has seen them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .fit import fit, module_area
from .measured import MEASURED, Measurement, read_measured, run
from .samples.sample import Sample, block_of

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
        raise UserError("weights.kind must be hidden", value=config.weights.kind)
    values = config.model_dump(mode="json", exclude={"parameters"}, exclude_none=True)
    values |= {"name": "sample", "dataset": "images", "input_shape": list(config.shape)}
    return Sample(block_of(config), json.loads(json.dumps(values)))


def measure_configs(
    configs: Sequence[Config],
    *,
    path: Path,
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
    run(list(unique.values()), path=path, jobs=jobs, check=True, progress=progress)
    found = {m.sample.key: m for m in read_measured(path)}
    return [found[sample.key] for sample in samples]


def refit(extra: Sequence[Measurement], *, path: Path = MEASURED) -> dict[str, Any]:
    """Fit the points of the calibration and ``extra``, all of which the fit sees.

    Every module below the tops of ``extra`` is a point of its block, and widens its range. What
    is held out of the calibration stays so, unless ``extra`` holds the same Verilog. Besides, a
    factor for each kind of block brings the estimates of ``extra`` halfway or more to what was
    measured: a search stays in one corner of what was calibrated, and a whole there may be off by
    the same few tenths of a percent everywhere.

    Parameters
    ----------
    extra : sequence of Measurement
        As :func:`measure_configs` returns them. They may be of another Yosys than the calibration
        (which is of one): ``feedback_tools`` says so, and the factors take up the difference.
    path : Path
        Points of the calibration.

    Returns
    -------
    dict
        As ``coefficients.json``, for ``DigitalModel(coefficients=...)``; ``feedback`` is the
        number of extra points, ``factors`` are by kind of block.
    """
    known = {m.verilog: m for m in extra}
    stored = [m for m in read_measured(path) if m.verilog not in known]
    tools = stored[0].tools
    seen = [
        replace(m, sample=_Seen(m.sample.block, m.sample.parameters), tools=tools)
        for m in known.values()
    ]
    data = fit([*stored, *seen])
    versions = sorted({m.tools["yosys"] for m in known.values()})
    factors = _factors(seen, data["blocks"])
    return data | {"feedback": len(seen), "feedback_tools": versions, "factors": factors}


def _factors(seen: Sequence[Measurement], blocks: Mapping[str, Any]) -> dict[str, float]:
    """Measured over estimated area of each kind, drawn towards 1 where few points say so.

    Memories are left out: a macro's area is no estimate.
    """
    measured: dict[str, float] = defaultdict(float)
    estimated: dict[str, float] = defaultdict(float)
    for measurement in seen:
        for module in measurement.modules:
            if module.kind == "ram":
                continue
            measured[module.kind] += module.instances * module.area_um2
            estimated[module.kind] += module.instances * module_area(measurement, module, blocks)
    trust = len(seen) / (len(seen) + 1)
    return {
        kind: 1 + trust * (area / estimated[kind] - 1)
        for kind, area in sorted(measured.items())
        if estimated[kind]
    }
