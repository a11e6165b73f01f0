"""Tables of studies in the documents, each between two comments."""

from pathlib import Path

from kakure.model.config.json_file import read_text
from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically

__all__ = ["check_page", "write_page"]


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- end {name} -->"


def check_page(page: Path, name: str) -> str:
    """A page with the comments ``<!-- NAME -->`` and ``<!-- end NAME -->``; UserError if not."""
    text = read_text(page)
    first, last = _marks(name)
    if text.count(first) != 1 or text.count(last) != 1:
        raise UserError(f"must hold the lines {first.strip()} and {last} once each", file=page)
    return text


def write_page(page: Path, name: str, text: str) -> None:
    """Replace what stands between the comments of :func:`check_page`."""
    first, last = _marks(name)
    before, _, rest = check_page(page, name).partition(first)
    _, _, after = rest.partition(last)
    write_atomically(page, f"{before}{first}\n{text}\n\n{last}{after}".encode())
