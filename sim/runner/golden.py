"""Golden vectors of an accelerator, from the integer reference and the cycle model."""

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import IDENTITY, MAP_VERSION
from kakure.model.config.config import Config
from kakure.model.parameters.parameters import OFFSET_BITS, Parameters
from kakure.model.reference.network import network_layers
from kakure.sim.bench.vectors import LayerVectors, Vectors

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


def golden_vectors(config: Config, parameters: Parameters, images: NDArray[np.uint8]) -> Vectors:
    """What the accelerator must do with ``images`` (n, height, width, channels), 8 bit."""
    architecture = architecture_of(config)
    sections = architecture.sections(parameters)
    layers = []
    logits: list[list[int]] = []
    for geometry, (_, y) in zip(
        config.geometry, network_layers(config, parameters, images), strict=True
    ):
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
        load_cycles=architecture.loading_cycles(parameters),
        settle_cycles=architecture.settle_cycles,
        images=[pack_image(image) for image in images],
        logits=logits,
        cycles=list(architecture.timing(len(images)).results),
        layers=layers,
        counts=architecture.counts,
    )
