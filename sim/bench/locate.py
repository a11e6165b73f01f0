"""cocotb bench that finds where an image first differs: layer, position, channel.

``run.py`` runs it on a simulator with waveforms, after a mismatch of the logits.
"""

from pathlib import Path

import cocotb
from axi import receive, send, start
from cocotb.triggers import RisingEdge
from simulator import parameters
from vectors import Vectors

GIVEN = parameters()
VECTORS = Vectors.load(Path(GIVEN["vectors"]))
IMAGE = GIVEN["image"]
DEADLINE_NS = 100 * (1000 + 2 * len(VECTORS.supermask) + 4 * VECTORS.cycles[-1])


async def watch(dut, index, found):
    """Compare what a layer sends for the image with what it must."""
    layer = getattr(dut.core, f"layer_{index}")
    edge = RisingEdge(dut.clk)
    vectors = VECTORS.layers[index]
    pixel = 0
    while pixel < len(vectors.pixels[IMAGE]):
        await edge
        if layer.o__valid.value == 1 and layer.o__ready.value == 1:
            got = layer.o__payload.value.to_unsigned()
            difference = vectors.difference(IMAGE, pixel, got)
            if difference is not None:
                found.append(f"image {IMAGE}, layer {index}, {difference}")
                return
            pixel += 1


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
async def first_difference(dut):
    """Name the first value of each layer that differs."""
    await start(dut)
    await send(dut, [VECTORS.supermask])
    found: list[str] = []
    for index in range(len(VECTORS.layers)):
        cocotb.start_soon(watch(dut, index, found))
    cocotb.start_soon(send(dut, [VECTORS.images[IMAGE]]))
    await receive(dut, len(VECTORS.logits[IMAGE]))
    Path(GIVEN["report"]).write_text("\n".join(found), encoding="utf-8")
    assert found, "alone, the image does not differ: it depends on the images before it"
