"""Images through the mapped netlist of a whole accelerator: its activity, checked bit for bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.register_map import PLANES
from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.emission.design import Design
from kakure.hdl.synthesis.activity import Activity
from kakure.hdl.synthesis.buffering import buffered
from kakure.hdl.synthesis.flat_netlist import FlatNetlist, flatten
from kakure.hdl.synthesis.flow import macros_of, map_modules
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.netlist_simulation import NetlistSimulation
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.network import network
from kakure.sim.runner.golden import pack_image

__all__ = ["AcceleratorRun", "mapped_accelerator", "mapped_design", "run_accelerator"]

START_SEED = 1
"""Of what registers and macros hold before the reset: nothing may depend on it."""

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class AcceleratorRun:
    """What a run of the netlist showed.

    Attributes
    ----------
    loading : Activity
        From reset to the last word of the supermask taken.
    inference : Activity
        From one result to another at full rate.
    images : int
        Images of each lane in ``inference``.
    distinct : int
        How many of all these differ.
    """

    loading: Activity
    inference: Activity
    images: int
    distinct: int


def mapped_accelerator(config: Config, source: str = "config") -> FlatNetlist:
    """Emit, map and flatten the accelerator of a configuration."""
    return mapped_design(design_of(config, source))


def mapped_design(design: Design) -> FlatNetlist:
    """Map and flatten a design."""
    cells = library()
    mapped = map_modules(design, jobs=1, progress=False)
    netlists = buffered(design, {name: m.netlist for name, m in mapped.items()}, cells)
    return flatten(design, netlists, macros_of(design), cells)


def _planes(words: NDArray[np.uint32]) -> Words:
    """Transpose words (lanes, n) to one 64-bit word for each bit: (n, 32), lane k in bit k."""
    bits = (words[:, :, None] >> np.arange(32, dtype=np.uint32) & 1).astype(np.uint64)
    lanes = np.arange(len(words), dtype=np.uint64)
    return np.bitwise_or.reduce(bits << lanes[:, None, None], axis=0)


class _Streams:
    """AXI4-Stream on both sides of the netlist: always a word offered, results always taken."""

    def __init__(self, netlist: NetlistSimulation, bar: Any) -> None:
        self.netlist = netlist
        self.bar = bar
        self.ready = int(netlist.port("s_axis_tready")[0])
        self.valid = int(netlist.port("m_axis_tvalid")[0])
        self.last = int(netlist.port("m_axis_tlast")[0])
        self.data = netlist.port("m_axis_tdata")
        self.words: list[Words] = []
        self.ends: list[int] = []
        for name in netlist.flat.inputs - {"clk"}:
            netlist.set(name, np.zeros(len(netlist.flat.ports[name]), np.uint64))

    def set_bit(self, name: str, value: bool) -> None:
        """Drive an input of one bit in all lanes."""
        self.netlist.set(name, np.array([self.netlist.mask if value else 0], np.uint64))

    def reset(self) -> None:
        self.set_bit("rst", True)
        for _ in range(2):
            self.netlist.evaluate()
            self.netlist.clock()
        self.set_bit("rst", False)
        self.set_bit("m_axis_tready", True)

    def wait_until(self, cycle: int) -> None:
        """Offer nothing until a cycle."""
        self.set_bit("s_axis_tvalid", False)
        while self.netlist.cycles < cycle:
            self.step()

    def step(self) -> bool:
        """Make one cycle; return whether a word was taken."""
        n = self.netlist
        n.evaluate()
        taken = bool(n.values[self.ready] & np.uint64(1))
        if n.values[self.valid] & np.uint64(1):
            self.words.append(n.values[self.data].copy())
            if n.values[self.last] & np.uint64(1):
                self.ends.append(n.cycles)
        n.clock()
        self.bar.update()
        return taken

    def write(self, address: int, value: int) -> None:
        """Write a register in all lanes."""
        for name, number in (("awaddr", address), ("wdata", value), ("wstrb", 0b1111)):
            bits = np.arange(len(self.netlist.port(f"s_axi_{name}")))
            self.netlist.set(f"s_axi_{name}", np.where(number >> bits & 1, self.netlist.mask, 0))
        requests = {f"s_axi_{name}valid" for name in ("aw", "w")}
        for name in (*requests, "s_axi_bready"):
            self.set_bit(name, True)
        answered = False
        while not answered:
            self.netlist.evaluate()
            taken = {name for name in requests if self._is_high(name.replace("valid", "ready"))}
            answered = self._is_high("s_axi_bvalid")
            self.netlist.clock()
            for name in taken:
                self.set_bit(name, False)
            requests -= taken
        self.set_bit("s_axi_bready", False)

    def _is_high(self, name: str) -> bool:
        """Whether an output of one bit is 1 in the first lane."""
        return bool(self.netlist.values[self.netlist.port(name)[0]] & np.uint64(1))

    def send(self, planes: Words) -> None:
        """Send one transfer."""
        self.set_bit("s_axis_tvalid", True)
        for k, word in enumerate(planes):
            self.netlist.set("s_axis_tdata", word)
            self.set_bit("s_axis_tlast", k == len(planes) - 1)
            while not self.step():
                pass
        self.set_bit("s_axis_tlast", False)


def run_accelerator(
    flat: FlatNetlist,
    config: Config,
    parameters: Parameters,
    images: NDArray[np.uint8],
    *,
    measured: int = 2,
    lanes: int = 64,
    planes: int | None = None,
) -> AcceleratorRun:
    """Load the parameters, then send each lane some of the images, over and over.

    Of each lane ``measured`` images count, after as many as the accelerator works on at once.
    Every logit of every lane and the cycle of every result are held against the reference and the
    accelerator's timing. A bar on standard error shows the cycles and the time left.

    Parameters
    ----------
    flat : FlatNetlist
        Of :func:`mapped_accelerator`.
    config, parameters, images
        What it runs; images uint8 (count, height, width, channels).
    measured, lanes : int
    planes : int, optional
        Planes of bitwise weights that register PLANES says; all where it is left alone.

    Raises
    ------
    AssertionError
        If the netlist does not compute what the reference does, in the same cycles.
    """
    architecture = architecture_of(config)
    asked = config if planes is None else config.at(planes)
    warm = architecture.images_at_once
    rounds = warm + measured
    results = architecture_of(asked).timing(rounds).results
    loading = architecture.loading_cycles(parameters)
    ready = max(loading, architecture.settle_cycles)
    supermask = np.array([w for one in architecture.sections(parameters) for w in one], np.uint32)
    lane, turn = np.arange(lanes)[:, None], np.arange(rounds + 1)
    which = (lane + lanes * turn) % len(images)  # the last one is only begun

    netlist = NetlistSimulation(flat, lanes=lanes, seed=START_SEED)
    with tqdm(total=ready + results[-1], desc="netlist", unit="cycle", disable=None) as bar:
        streams = _Streams(netlist, bar)
        streams.reset()
        start = netlist.cycles
        streams.send(_planes(np.repeat(supermask[None], lanes, 0)))
        assert netlist.cycles - start == loading, f"loading must take {loading} cycles"
        loaded = netlist.activity()
        if planes is not None:
            streams.set_bit("s_axis_tvalid", False)
            streams.write(PLANES.offset, 1 << (planes - 1))
        streams.wait_until(start + ready)
        ends = [netlist.cycles + cycle for cycle in results]
        marks = _infer(streams, images[which], ends, (ends[warm - 1], ends[-1]))
    assert [end + 1 for end in streams.ends] == ends, f"results must end in {ends}"
    seen = np.unique(which[:, :rounds])
    used = parameters if planes is None else parameters.at(planes)
    expected = dict(zip(seen, network(asked, used, images[seen]), strict=True))
    logits = _logits(streams.words, lanes, rounds)
    for k in range(lanes):
        for n in range(rounds):
            assert (logits[k, n] == expected[which[k, n]]).all(), f"lane {k}, image {n} differs"
    distinct = len(np.unique(which[:, warm:rounds]))
    return AcceleratorRun(loaded, marks[1] - marks[0], measured, distinct)


def _infer(
    streams: _Streams, chosen: NDArray[np.uint8], ends: Sequence[int], marked: Sequence[int]
) -> list[Activity]:
    """Offer images (lanes, n, h, w, c) until the last end; the activity at the marked cycles."""
    netlist = streams.netlist
    words = np.array([[pack_image(image) for image in lane] for lane in chosen], np.uint32)
    frame = words.shape[-1]
    planes = _planes(words.reshape(len(chosen), -1))
    marks: list[Activity] = []
    at = 0
    streams.set_bit("s_axis_tvalid", True)
    while netlist.cycles < ends[-1]:
        offered = at < len(planes)
        if offered:
            netlist.set("s_axis_tdata", planes[at])
            streams.set_bit("s_axis_tlast", (at + 1) % frame == 0)
        else:
            streams.set_bit("s_axis_tvalid", False)
        at += streams.step() and offered
        if netlist.cycles in marked:
            marks.append(netlist.activity())
    return marks


def _logits(words: Sequence[Words], lanes: int, rounds: int) -> NDArray[np.int32]:
    """What the lanes sent, (lanes, rounds, classes)."""
    lane = np.arange(lanes, dtype=np.uint64)
    bits = (np.array(words)[:, :, None] >> lane & np.uint64(1)).astype(np.uint32)
    logits = np.bitwise_or.reduce(bits << np.arange(32, dtype=np.uint32)[:, None], axis=1)
    return logits.astype(np.int32).T.reshape(lanes, rounds, -1)
