"""Speed of the search, each figure beside another way to do the same, in one run."""

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import torch

from kakure.model.files.shipped import CONFIGS
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import CostModel, LayerBatch
from kakure.search.cost.table_building import build_tables
from kakure.search.phase1.exact import ExactSearch
from kakure.search.phase1.problem import Problem
from kakure.search.rounds.round import Options
from kakure.search.rounds.run import search
from kakure.search.space.space_file import load_space, parse_space
from kakure.search.store.parallel import Workers
from kakure.search.store.store import Store

from .digital_speed import random_batch
from .gradient import RelaxedLoop, relaxed_search

__all__ = ["figures"]

XPERT = CONFIGS / "search-xpert.json"
STEPS = 200
LAYERS = 100_000
SINGLES = 200

TINY = """{
  "name": "benchmark", "dataset": "digits",
  "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32", "density": 0.5},
  "crossbar": {"rows": [32], "columns": [16]},
  "objective": "interval",
  "effort": {"candidates": 4, "score_epochs": 4, "epochs": 8, "tuning_epochs": 2, "precisions": 8,
             "accuracy_loss": 0.1},
  "layers": [
    {"kind": "conv", "kernel": 3, "pool": 2, "channels": [4, 8, 12, 16], "column_sharing": [2, 4],
     "adc_type": ["flash", "sar"], "adc_bits": [4, 3], "input_bits": [4, 3], "copies": [1, 2]},
    {"kind": "linear", "channels": [10], "engine": ["pe_array"], "input_bits": [4, 3]}
  ]
}"""


def phase1() -> str:
    """The whole front of XPert's full space, beside a gradient search for one point of it."""
    space = load_space(XPERT)
    begin = time.perf_counter()
    (tables,) = build_tables(space, AnalogModel())
    problem = Problem.of(space)
    front = ExactSearch([tables], problem).front()
    exact = time.perf_counter() - begin
    begin = time.perf_counter()
    (attempt,) = relaxed_search(tables, problem, seeds=[1], loop=RelaxedLoop(steps=STEPS))
    other = time.perf_counter() - begin
    best = problem.time_ps(front.solution(-1))
    found = attempt.solution
    gap = "none within the bound" if found is None else f"{problem.time_ps(found) / best:.2f} times"
    return (
        f"phase 1, {space.phase1_size:.1e} points: {len(front)} proven front points in "
        f"{exact:.2f} s; a corrected gradient search finds one point ({gap} the least time) "
        f"in {other:.2f} s: ratio {other / exact:.1f}"
    )


def cost_model(model: CostModel, batch: LayerBatch) -> str:
    """Layer evaluations a second, all at once and one by one."""
    columns = {field.name: getattr(batch, field.name) for field in fields(batch)}
    begin = time.perf_counter()
    model.layer_costs(batch, extrapolate=True)
    rate = len(batch) / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for n in range(SINGLES):
        one = LayerBatch(**{name: column[n : n + 1] for name, column in columns.items()})
        model.layer_costs(one, extrapolate=True)
    single = SINGLES / (time.perf_counter() - begin)
    return (
        f"{model.name} cost model: {rate:,.0f} layers/s in batches, {single:,.0f} one by one: "
        f"ratio {rate / single:.0f}"
    )


def analog_batch() -> LayerBatch:
    """Layers that the analog model knows."""
    batch = random_batch(LAYERS, seed=1)
    columns = {field.name: getattr(batch, field.name) for field in fields(batch)}
    columns["engine"] = columns["engine"] * 0
    columns["column_sharing"] = columns["column_sharing"].clip(1)
    columns["adc_bits"] = columns["adc_bits"].clip(3)
    columns["rows"] = columns["columns"] = columns["rows"] * 0 + 64
    return LayerBatch(**columns)


def reuse() -> str:
    """A search, and the same once more."""
    space = parse_space(TINY)
    seconds, new = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            store = Store(Path(folder) / "store.sqlite")
            before = store.total()
            begin = time.perf_counter()
            with contextlib.redirect_stderr(io.StringIO()):
                search(space, Path(), Options(rounds=0), store, Workers(1))
            seconds.append(time.perf_counter() - begin)
            new.append(store.total() - before)
            store.close()
    return (
        f"search of a tiny space: {seconds[0]:.1f} s with {new[0]} evaluations; once more "
        f"{seconds[1]:.2f} s with {new[1]}: ratio {seconds[0] / seconds[1]:.0f}"
    )


def figures() -> Iterator[str]:
    """All measurements, a line each, as they finish."""
    torch.set_num_threads(1)
    yield phase1()
    yield cost_model(DigitalModel(), random_batch(LAYERS, seed=1))
    yield cost_model(AnalogModel(), analog_batch())
    yield reuse()
