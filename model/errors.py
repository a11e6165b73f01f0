"""What a user can mend: one line that names the file, the field, the rule and the value."""

import copy
from os import PathLike
from typing import Self

__all__ = ["Damaged", "FieldError", "FieldPath", "Infeasible", "UserError", "path_text"]

FieldPath = tuple[int | str, ...]
"""A field, from the outermost: ``("layers", 0, "kernel")``."""


def path_text(path: FieldPath) -> str:
    """A field as a person writes it: ``layers[0].kernel``."""
    text = ""
    for part in path:
        if isinstance(part, str):
            text += f".{part}" if text else part
        else:
            text += f"[{part}]"
    return text


class UserError(Exception):
    """A mistake in the user's input; commands print its one line and exit with code 2.

    The line is ``file: where: rule, not value; advice``, without what is not given.

    Parameters
    ----------
    rule : str
        What must be, and is not.
    where : tuple of str and int
        The field: ``("layers", 0, "kernel")``.
    value : object, optional
        What there is instead, as it shall be printed.
    file : path or str, optional
        Where the field, or the mistake, is.
    advice : str, optional
        What to do.
    is_sentence : bool
        ``where rule`` reads as a sentence, without a colon between.
    """

    def __init__(
        self,
        rule: str,
        *,
        where: FieldPath = (),
        value: object = None,
        file: str | PathLike[str] | None = None,
        advice: str = "",
        is_sentence: bool = False,
    ) -> None:
        super().__init__(rule)
        self.rule = rule
        self.where = where
        self.value = value
        self.file = file
        self.advice = advice
        self.is_sentence = is_sentence

    def __str__(self) -> str:
        file = "" if self.file is None else f"{self.file}: "
        where = path_text(self.where) + (" " if self.is_sentence else ": ") if self.where else ""
        return f"{file}{where}{self.said}"

    @property
    def said(self) -> str:
        """Rule, value and advice: the line without the place."""
        value = "" if self.value is None else f", not {self.value}"
        return f"{self.rule}{value}{f'; {self.advice}' if self.advice else ''}"

    def of(self, file: str | PathLike[str]) -> Self:
        """The same error, of ``file`` unless it is known to be of another."""
        return self if self.file is not None else self._with(file=file)

    def within(self, *outer: int | str) -> Self:
        """The same error, its field within another: ``error.within("layers", 0)``."""
        return self._with(where=(*outer, *self.where))

    def at(self, *, layer: int) -> Self:
        """The same error in another layer, if it is in one: ``error.at(layer=3)``."""
        is_in_one = self.where[:1] == ("layers",)
        return self._with(where=("layers", layer, *self.where[2:])) if is_in_one else self

    def as_option(self) -> Self:
        """The same error of an option: ``confidence`` was given as ``--confidence``."""
        return self._with(where=(f"--{path_text(self.where)}",)) if self.where else self

    def but(self, advice: str) -> Self:
        """The same error with what to do."""
        return self._with(advice=advice)

    def _with(self, **changed: object) -> Self:
        other = copy.copy(self)
        vars(other).update(changed)
        return other


class Infeasible(UserError):
    """A bound that no network of a space meets."""


class Damaged(UserError):
    """A file of ours whose bytes are not those that were written; it can be made anew."""


class FieldError(ValueError):
    """A rule between fields that an object breaks; its schema says where the object is.

    Parameters
    ----------
    where : str or tuple of str and int
        The field, from the object that is checked.
    rule : str
        What must be, and what is instead.
    """

    def __init__(self, where: str | FieldPath, rule: str) -> None:
        super().__init__(where, rule)
        self.where: FieldPath = (where,) if isinstance(where, str) else where
        self.rule = rule

    def __str__(self) -> str:
        return f"{path_text(self.where)} {self.rule}"
