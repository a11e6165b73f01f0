"""Pieces of SVG pictures that need no script, no font and no other file, by day and by night."""

from collections.abc import Iterable
from html import escape

__all__ = ["THIN", "arrow", "box", "document", "grouped", "label"]

STYLE = """
.k text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;\
font-size:12px;fill:#22303c}
.k .k-strong{font-weight:600;font-size:13px}
.k .k-title{font-weight:600;font-size:17px}
.k .k-quiet{fill:#5a6b7b;font-size:11px}
.k .k-paper{fill:#fff}
.k .k-frame{fill:#f6f8fa;stroke:#d5dde5}
.k .k-line{fill:none;stroke:#5a6b7b;stroke-width:1.5}
.k .k-head{fill:#5a6b7b;stroke:none}
.k .k-grid{stroke:#d5dde5;fill:none}
.k .k-bus{fill:#e7ecf1;stroke:#8899a8}
.k .k-weights{fill:#fbeccf;stroke:#c79a3c}
.k .k-window{fill:#e1f1ec;stroke:#4f9c86}
.k .k-engine{fill:#dbe8f7;stroke:#4477aa}
.k .k-stage{fill:#f3e3ee;stroke:#b0709a}
.k .k-requantizer{fill:#e9e4f6;stroke:#7a68b3}
.k .k-curve{fill:none;stroke:#4477aa;stroke-width:2}
.k .k-other{fill:none;stroke:#c2662d;stroke-width:2}
@media (prefers-color-scheme:dark){
.k text{fill:#dde5ec}
.k .k-quiet{fill:#9dadbb}
.k .k-paper{fill:#14191f}
.k .k-frame{fill:#1b222a;stroke:#36424e}
.k .k-line{stroke:#9dadbb}
.k .k-head{fill:#9dadbb}
.k .k-grid{stroke:#36424e}
.k .k-bus{fill:#2a343e;stroke:#7b8b99}
.k .k-weights{fill:#453716;stroke:#c79a3c}
.k .k-window{fill:#173a31;stroke:#5fb39a}
.k .k-engine{fill:#1b3350;stroke:#6c9fd2}
.k .k-stage{fill:#43263a;stroke:#c98ab3}
.k .k-requantizer{fill:#2f2850;stroke:#9a89d4}
.k .k-curve{stroke:#6c9fd2}
.k .k-other{stroke:#e0935f}
}
"""

THIN = "\u202f"
"""Between groups of three digits."""


def grouped(value: float) -> str:
    """``12 345``: rounded, thousands a thin space apart."""
    return f"{value:,.0f}".replace(",", THIN)


def label(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    """A line of text with its baseline at y; ``kind`` is strong, title, quiet or nothing."""
    look = f' class="k-{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{look}>{escape(text)}</text>'


def box(
    x: float, y: float, width: float, height: float, kind: str, lines: Iterable[str] = ()
) -> str:
    """A rounded rectangle with lines of text in its middle, the first of them strong."""
    lines = list(lines)
    parts = [
        f'<rect class="k-{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'
    ]
    first = y + height / 2 - 8 * (len(lines) - 1) + 4.5
    for n, line in enumerate(lines):
        parts.append(label(x + width / 2, first + 16 * n, line, "strong" if n == 0 else ""))
    return "".join(parts)


def arrow(*points: tuple[float, float]) -> str:
    """A line through points, with a head at its end; the last piece is level or upright."""
    (x0, y0), (x1, y1) = points[-2:]
    dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    path = "".join(f"{'L' if n else 'M'}{x:g} {y:g}" for n, (x, y) in enumerate(points))
    back = (x1 - 8 * dx, y1 - 8 * dy)
    head = f"M{x1:g} {y1:g}L{back[0] - 4 * dy:g} {back[1] - 4 * dx:g}"
    head += f"L{back[0] + 4 * dy:g} {back[1] + 4 * dx:g}Z"
    return f'<path class="k-line" d="{path}"/><path class="k-head" d="{head}"/>'


def document(width: float, height: float, parts: Iterable[str], title: str) -> str:
    """The whole picture on a paper of its own, as a file or as part of a page."""
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="k" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img">\n<title>{escape(title)}</title>\n'
        f'<style>{STYLE}</style>\n<rect class="k-paper" width="{width:g}" height="{height:g}" '
        f'rx="8"/>\n{body}\n</svg>\n'
    )
