"""Fashion-MNIST: 70000 grey images of 28 x 28, as idx files."""

from pathlib import Path

from kakure.model.errors import UserError

from .archive import DATA, Archive, run
from .dataset import Dataset
from .idx import idx_folder
from .labelled import LabelledImages, Split
from .recipe import Recipe

__all__ = ["FASHION_MNIST"]

FILES = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of the four files, unpacked."""


def download(work: Path) -> Path:
    """From Debian's package, unpacked in place: no root, and no package lists, are needed."""
    hand = f"put the files {', '.join(FILES)}, gzipped or not, into {DATA}/fashion-mnist"
    package = "dataset-fashion-mnist"
    quiet = ["-qq", "-oAPT::Sandbox::User="]
    try:
        run(["apt-get", *quiet, "download", package], work, hand)
    except UserError:  # most likely no lists: fetch them into a folder of our own
        for part in ("lists/partial", "cache/archives/partial"):
            (work / part).mkdir(parents=True)
        home = work.resolve()
        quiet += [f"-oDir::State::Lists={home}/lists", f"-oDir::Cache={home}/cache"]
        run(["apt-get", *quiet, "update"], work, hand)
        run(["apt-get", *quiet, "download", package], work, hand)
    archives = sorted(work.glob("*.deb"))
    run(["dpkg", "-x", archives[0].name, "tree"], work, hand)
    return work / "tree" / "usr" / "share" / "datasets" / "fashion-mnist"


def load(folder: Path, split: Split) -> LabelledImages:
    """All images of a split."""
    return idx_folder(folder, split, hint=": kakure data fashion-mnist")


FASHION_MNIST = Dataset(
    name="fashion-mnist",
    shape=(28, 28, 1),
    classes=10,
    load=load,
    recipe=Recipe(epochs=60, smoothing=0.05, shift=1.5, zoom=0.05, mirror=True),
    archive=Archive(download, FILES),
)
