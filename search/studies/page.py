"""Tables of studies in the documents, each between two comments."""

from pathlib import Path

from kakure.model.config.json_file import read_text
from kakure.model.errors import UserError
from kakure.model.files.atomic import check_writable, write_atomically

__all__ = ["check_page", "write_page"]


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- end {name} -->"


def check_page(page: Path, name: str) -> str:
    """A page that can be written, with ``<!-- NAME -->`` and ``<!-- end NAME -->`` after it.

    Raises
    ------
    UserError
        If it cannot be read or written, or the comments are not there once each, in this order.
    """
    text = read_text(page)
    check_writable(page, "--page")
    first, last = _marks(name)
    counts = text.count(first), text.count(last)
    if counts != (1, 1) or text.index(last) < text.index(first):
        raise UserError(
            f"must hold the lines {first.strip()} and {last} once each, in this order", file=page
        )
    return text


def write_page(page: Path, name: str, text: str) -> None:
    """Replace what stands between the comments of :func:`check_page`."""
    first, last = _marks(name)
    before, _, rest = check_page(page, name).partition(first)
    _, _, after = rest.partition(last)
    write_atomically(page, f"{before}{first}\n{text}\n\n{last}{after}".encode())
