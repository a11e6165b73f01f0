"""Verbs of the one command: what the tables of the packages say of them, and how one is run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from kakure.model.errors import UserError
from kakure.model.shown import command_line, shown

from .command import Parser, run_command

__all__ = ["Index", "Verb"]


@dataclass(frozen=True)
class Verb:
    """A verb, as it is declared beside what it does.

    Attributes
    ----------
    name : str
        What the user types.
    group : str
        Heading of the index that it stands under.
    text : str
        What it does, in a line.
    module : str
        Of two functions, imported only when the verb is run: ``options`` adds its options to an
        :class:`argparse.ArgumentParser`, ``run`` takes what was given and returns its exit code or
        None. ``given.command`` is the whole command line, for records of how to reproduce it; what
        UTF-8 cannot hold is escaped in it.
    interrupted : str
        What the user is told after Ctrl-C.
    """

    name: str
    group: str
    text: str
    module: str
    interrupted: str = "interrupted"

    def add_to(self, parser: Parser) -> None:
        """Add its options to a parser."""
        parser.description = f"{self.text[0].upper()}{self.text[1:]}."
        import_module(self.module).options(parser)

    def main(self, prog: str, argv: Sequence[str]) -> int:
        """Run it as ``prog`` with its own arguments; the exit code."""
        parser = Parser(prog=prog)
        self.add_to(parser)
        given = parser.parse_args(argv)
        given.command = command_line([*prog.split(), *argv])
        run = import_module(self.module).run
        return run_command(lambda: run(given), interrupted=self.interrupted)


@dataclass(frozen=True)
class Index:
    """Verbs under one name, listed where none is given.

    Attributes
    ----------
    name, group, text : str
        As a verb has them.
    groups : tuple of str
        Headings, in the order in which a newcomer needs them.
    verbs : tuple of Verb or Index
        Every one is of one of the groups; within a group they keep their order.
    """

    name: str
    group: str
    text: str
    groups: tuple[str, ...]
    verbs: "tuple[Verb | Index, ...]"

    def listed(self) -> "Iterator[tuple[str, list[Verb | Index]]]":
        """Headings, and what stands under them."""
        for group in self.groups:
            yield group, [verb for verb in self.verbs if verb.group == group]

    def page(self, prog: str) -> str:
        """The index, as ``prog --help`` prints it."""
        width = max(len(verb.name) for verb in self.verbs)
        lines = [f"{self.text[0].upper()}{self.text[1:]}."]
        for group, verbs in self.listed():
            lines += ["", f"{group}:"]
            lines += [f"  {verb.name:{width}}  {verb.text}" for verb in verbs]
        return "\n".join([*lines, "", f"{prog} NAME --help says what each takes."]) + "\n"

    def add_to(self, parser: Parser) -> None:
        """Add its verbs to a parser, with all their options."""
        parser.description = f"{self.text[0].upper()}{self.text[1:]}."
        below = parser.add_subparsers(required=True, metavar="NAME")
        for _, verbs in self.listed():
            for verb in verbs:
                verb.add_to(below.add_parser(verb.name, help=verb.text))

    def main(self, prog: str, argv: Sequence[str]) -> int:
        """Run the verb that is named first, or print the index; the exit code."""
        if not argv or argv[0] in ("-h", "--help"):
            return run_command(lambda: print(self.page(prog), end=""))
        name = argv[0]
        for verb in self.verbs:
            if verb.name == name:
                return verb.main(f"{prog} {name}", argv[1:])
        return run_command(lambda: self._refuse(name, prog))

    def _refuse(self, name: str, prog: str) -> NoReturn:
        """Say that there is nothing of that name, and what may be meant."""
        from difflib import get_close_matches

        near = get_close_matches(name[:100], [verb.name for verb in self.verbs], 1)
        meant = f"; did you mean {near[0]}?" if near else ";"
        raise UserError(
            f"{prog}: must be followed by a name that it lists, not {shown(name)}{meant} "
            f"see {prog} --help"
        )
