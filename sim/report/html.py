"""A page that needs no other file and no script: its style, its tables, its whole."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

__all__ = ["cards", "document", "figure", "note", "table"]

STYLE = """
:root{color-scheme:light dark;--ink:#22303c;--quiet:#5a6b7b;--paper:#fff;--frame:#f6f8fa;
--line:#d5dde5;--accent:#4477aa}
@media (prefers-color-scheme:dark){:root{--ink:#dde5ec;--quiet:#9dadbb;--paper:#14191f;
--frame:#1b222a;--line:#36424e;--accent:#6c9fd2}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;max-width:64rem;
margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper)}
h1{font-size:1.7rem;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
table{border-collapse:collapse;margin:.8rem 0;display:block;overflow-x:auto;
font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;
white-space:nowrap}
th{font-weight:600;color:var(--quiet);white-space:normal;vertical-align:bottom;
line-height:1.25}
th:first-child,td:first-child{text-align:left}
table.text th,table.text td{text-align:left}
table.text td:last-child{white-space:normal;overflow-wrap:anywhere;min-width:14rem}
img{max-width:100%;height:auto;background:#fff;border-radius:8px}
figure{margin:1rem 0;overflow-x:auto}
figure svg{max-width:100%;min-width:min(100%,40rem);height:auto;display:block}
figcaption{margin-top:.3rem}
code{background:var(--frame);border:1px solid var(--line);border-radius:4px;padding:.05rem .3rem;
overflow-wrap:anywhere}
a{color:var(--accent)}
.note{color:var(--quiet)}
.cards{display:flex;flex-wrap:wrap;gap:.7rem;margin:1.2rem 0}
.cards div{flex:1 1 9.5rem;background:var(--frame);border:1px solid var(--line);border-radius:8px;
padding:.6rem .8rem}
.cards b{display:block;font-size:1.25rem;white-space:nowrap}
.cards span{color:var(--quiet);font-size:.85rem;display:block;line-height:1.3}
@media (max-width:40rem){figure svg{min-width:40rem}.cards div{flex-basis:8rem}}
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, of: str = "numbers") -> str:
    """A table; every cell is escaped.

    Parameters
    ----------
    heads, rows
        As many cells in each row as heads.
    of : str
        ``numbers``, to the right but for the first column; or ``text``, to the left.
    """
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    look = "" if of == "numbers" else f" class={of}"
    return f"<table{look}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def cards(figures: Iterable[tuple[str, str, str]]) -> str:
    """What matters most: a figure, what it is, and how far it is to be trusted."""
    return (
        "<div class=cards>"
        + "".join(
            f"<div><b>{escape(value)}</b>{escape(name)}<span>{escape(said)}</span></div>"
            for name, value, said in figures
        )
        + "</div>"
    )


def note(text: str) -> str:
    """A remark under a table or picture."""
    return f"<p class=note>{escape(text)}</p>"


def figure(picture: str, caption: str) -> str:
    """A picture that is HTML already, with its caption."""
    return f"<figure>{picture}<figcaption class=note>{escape(caption)}</figcaption></figure>"


def document(title: str, parts: Iterable[str]) -> str:
    """The whole page."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{escape(title)}</title><style>{STYLE}</style>"
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'
