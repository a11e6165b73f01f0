import re
from pathlib import Path
from xml.etree import ElementTree

from kakure.model.config.config import load_config
from kakure.model.config.presets import PRESETS, preset
from kakure.sim.report.network import network_picture
from tests.branching import branching

ROOT = Path(__file__).resolve().parent.parent


def test_every_map_and_every_layer_is_there():
    config = load_config(ROOT / "configs" / "digits.json")
    picture = network_picture(config)
    ElementTree.fromstring(picture)
    maps = re.findall(r'k-strong">(.*?)<', picture)
    assert maps == ["8×8×1", "4×4×32", "2×2×32", "1×1×10"]
    quiet = re.findall(r'k-quiet">(.*?)<', picture)
    assert quiet[:6] == ["image", "4 bit in", "pool 2×2", "conv 3×3", "layer 0", "map"]
    assert quiet[-4:] == ["4 bit in", "linear", "layer 2", "logits"]


def test_strides_and_sum_pools_are_named():
    found = re.findall(r'k-quiet">(.*?)<', network_picture(branching("stride and pool")))
    assert found[:5] == ["image", "4 bit in", "stride 2", "pool 2×2", "conv 3×3"]
    found = re.findall(r'k-quiet">(.*?)<', network_picture(branching("summed")))
    assert found[-5:] == ["4 bit in", "sums of 6 bit", "linear", "layer 1", "logits"]


def test_nothing_leaves_the_paper():
    for name in PRESETS:
        root = ElementTree.fromstring(network_picture(preset(name)))
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
            a = {key: float(rect.attrib.get(key, "0")) for key in ("x", "y", "width", "height")}
            assert a["x"] >= 0 and a["x"] + a["width"] <= width, name
            assert a["y"] >= 0 and a["y"] + a["height"] <= height, name
