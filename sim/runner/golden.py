"""Golden vectors of an accelerator, from the integer reference and the cycle model."""

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import IDENTITY, MAP_VERSION, THRESHOLD
from kakure.hdl.engines.ports import planes_of
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import OFFSET_BITS, Parameters
from kakure.model.reference.dynamic import dynamic, margins
from kakure.model.reference.network import network, network_layers
from kakure.sim.bench.vectors import LayerVectors, PrecisionVectors, Vectors

__all__ = ["golden_vectors", "pack_image", "pack_values"]


def pack_image(image: NDArray[np.uint8]) -> list[int]:
    """Words of one image (height, width, channels), four bytes each, the first lowest."""
    data = np.ascontiguousarray(image).tobytes()
    return np.frombuffer(data + bytes(-len(data) % 4), "<u4").tolist()


def pack_values(values: NDArray[np.integer], bits: int) -> list[int]:
    """One wide word for each row of (n, channels), channel 0 lowest, two's complement."""
    places = 1 << np.arange(bits, dtype=np.int64)
    ones = (np.asarray(values, np.int64)[..., None] & places != 0).astype(np.uint8)
    packed = np.packbits(ones.reshape(len(values), -1), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


TRIED = 3
"""Images that are tried at every precision."""


def precisions(
    config: Config, parameters: Parameters, images: NDArray[np.uint8]
) -> list[PrecisionVectors]:
    """What the first images become at each precision of bitwise weights; else nothing."""
    if not planes_of(config):
        return []
    found = []
    for planes in range(1, config.weights.widths + 1):
        there = config.at(planes)
        logits = network(there, parameters.at(planes), images[:TRIED])
        cycles = architecture_of(there).timing(len(logits)).results
        found.append(PrecisionVectors(1 << (planes - 1), 0, logits.tolist(), list(cycles)))
    return found


def choices(
    config: Config, parameters: Parameters, images: NDArray[np.uint8]
) -> list[PrecisionVectors]:
    """What the first images become where their margins choose, some of them at once."""
    most = planes_of(config)
    has_choice = THRESHOLD in architecture_of(config).registers
    if most < 2 or config.geometry[-1].outputs < 2 or not has_choice:
        return []
    images = images[:TRIED]
    found = []
    for schedule in ((1, most), tuple(range(1, most + 1))):
        first = network(config.at(schedule[0]), parameters.at(schedule[0]), images)
        threshold = int(np.median(margins(first))) + 1
        logits, used = dynamic(config, parameters, images, schedule=schedule, threshold=threshold)
        passes = [schedule[: schedule.index(one) + 1] for one in used.tolist()]
        cycles = architecture_of(config).dynamic_timing(passes, schedule[-1]).results
        tried = sum(1 << (planes - 1) for planes in schedule)
        found.append(PrecisionVectors(tried, threshold, logits.tolist(), list(cycles)))
    return found


def golden_vectors(
    config: Config,
    parameters: Parameters,
    images: NDArray[np.uint8],
    planes: int | None = None,
) -> Vectors:
    """What the accelerator must do with ``images`` (n, height, width, channels), 8 bit.

    With ``planes`` it is told to use so many planes of its weights.
    """
    architecture = architecture_of(config)
    sections = architecture.sections(parameters)
    used, there = parameters, config
    if planes is not None:
        used, there = parameters.at(planes), config.at(planes)
    layers = []
    logits: list[list[int]] = []
    for geometry, (_, y) in zip(there.geometry, network_layers(there, used, images), strict=True):
        bits = geometry.output_bits or OFFSET_BITS
        pixels = [pack_values(image.reshape(-1, geometry.outputs), bits) for image in y]
        layers.append(
            LayerVectors(
                width=geometry.pooled_width,
                channels=geometry.outputs,
                bits=bits,
                is_signed=geometry.output_bits is None,
                pixels=pixels,
            )
        )
        logits = y.reshape(len(images), -1).tolist()
    return Vectors(
        digest=architecture.digest,
        registers={register.name: register.offset for register in architecture.registers},
        fields={
            f"{register.name}.{field.name}": field.mask
            for register in architecture.registers
            for field in register.fields
        },
        errors={error.name: error.value for error in ErrorCode},
        constants={"IDENTITY": IDENTITY, "VERSION": MAP_VERSION},
        supermask=[word for section in sections for word in section],
        sections=[len(section) for section in sections],
        section_layers=list(architecture.section_layers),
        section_heads=list(architecture.section_heads),
        load_cycles=architecture.loading_cycles(parameters),
        settle_cycles=architecture.settle_cycles,
        images=[pack_image(image) for image in images],
        logits=logits,
        cycles=list(architecture_of(there).timing(len(images)).results),
        layers=layers,
        counts=architecture_of(there).counts,
        scale_sets=architecture.scale_sets,
        tried=0 if planes is None else 1 << (planes - 1),
        precisions=precisions(config, parameters, images),
        choices=choices(config, parameters, images),
    )
