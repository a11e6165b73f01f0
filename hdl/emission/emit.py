"""Verilog of a component: one module text for each distinct block below it."""

import hashlib
import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from amaranth.hdl import ClockSignal, Instance, ResetSignal, Value
from amaranth.lib import wiring

from .design import Design, ModuleSource
from .hierarchy import Emitter
from .verilog import verilog_texts
from .wide_nets import wide_nets

__all__ = ["Emission", "emit", "module_name"]

rtlil = import_module("amaranth.back.rtlil")  # amaranth-stubs do not know it

LONGEST_NAME = 60
"""Longer module names are replaced by a digest of the parameters [characters]."""


def emit(top: wiring.Component, name: str) -> Design:
    """Verilog of ``top`` and of every distinct component that is placed below it.

    A module's text depends on its component alone, not on what else is in the design.

    Parameters
    ----------
    top : Component
        Any block of :mod:`hdl`.
    name : str
        Module name of the top.
    """
    emitter = Emission()
    with wide_nets():
        emitter.add(top, name)
    modules = list(emitter.modules.values())
    texts = verilog_texts([module.rtlil for module in modules])
    sources = [module.source(text) for module, text in zip(modules, texts, strict=True)]
    return Design(name, {source.name: source for source in sources})


def kind_name(component: wiring.Component) -> str:
    """``CrossbarTile`` in snake case, ``crossbar_tile``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(component).__name__).lower()


def parameters(component: wiring.Component) -> dict[str, Any]:
    """What the component was constructed with; each parameter is an attribute of that name.

    A component that takes a whole configuration has an ``identity`` instead: what of it matters.
    What its class's ``unnamed`` gives a value is left out at that value: a parameter that came
    later, and whose blocks keep their names without it.
    """
    identity = getattr(component, "identity", None)
    if identity is not None:
        return identity
    names = list(inspect.signature(type(component).__init__).parameters)[1:]
    unnamed = getattr(type(component), "unnamed", {})
    values = {name: getattr(component, name) for name in names}
    return {n: v for n, v in values.items() if n not in unnamed or v != unnamed[n]}


def module_name(component: wiring.Component) -> str:
    """Name of the component's module: its kind and parameters, or a digest where that is long.

    It does not depend on the place of the component's source, so that a move changes no Verilog.
    """
    values = parameters(component)
    texts = [_text(value) for value in values.values()]
    name = "_".join([kind_name(component), *texts])
    if re.fullmatch(r"\w+", name) and len(name) <= LONGEST_NAME:
        return name
    described = f"{type(component).__name__}{values!r}"
    return f"{kind_name(component)}_{hashlib.sha256(described.encode()).hexdigest()[:10]}"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(_text, value))
    return "all" if value is None else str(value)


@dataclass
class _Module:
    """One distinct component, elaborated."""

    name: str
    component: wiring.Component
    rtlil: str

    @property
    def has_clock(self) -> bool:
        """Whether the module has a clock port."""
        return re.search(r"^  wire .*input \d+ +\\clk$", self.rtlil, re.MULTILINE) is not None

    @property
    def has_reset(self) -> bool:
        """Whether the module has a reset port."""
        return re.search(r"^  wire .*input \d+ +\\rst$", self.rtlil, re.MULTILINE) is not None

    def source(self, text: str) -> ModuleSource:
        """Finish the module with its Verilog text."""
        values = {
            key: _plain(value)
            for key, value in parameters(self.component).items()
            if _is_plain(value)
        }
        header = [f"// {(inspect.getdoc(type(self.component)) or '').splitlines()[0]}"]
        header += [f"// {key} = {value}" for key, value in values.items()]
        cells = re.findall(r"^  cell \\(\S+) \\(\S+)$", self.rtlil, re.MULTILINE)
        return ModuleSource(
            name=self.name,
            kind=kind_name(self.component),
            verilog="\n".join(header) + "\n\n" + text,
            instances={instance: module for module, instance in cells},
            parameters=values,
        )


class Emission(Emitter):
    """The platform passed to ``elaborate``: elaborates what is placed, children first."""

    def __init__(self) -> None:
        self.modules: dict[str, _Module] = {}

    def add(self, component: wiring.Component, name: str) -> None:
        """Elaborate one component as module ``name``, and whatever is placed in it."""
        text = rtlil.convert(component, name=name, platform=self, emit_src=False)
        self.modules[name] = _Module(name, component, text)

    def place(self, component: wiring.Component, reset: Value | None = None) -> Instance:
        """Elaborate the component unless an equal one was, and return an instance of its module."""
        name = module_name(component)
        if name in self.modules:
            equal = self.modules[name].component
            assert type(equal) is type(component), f"{name} must be one kind of block, not two"
            vars(component)["_MustUse__used"] = True  # it is: as the equal one
        else:
            self.add(component, name)
        ports: dict[str, Value] = {}
        for path, member, value in component.signature.flatten(component):
            if len(Value.cast(value)):
                direction = "o" if member.flow is wiring.Out else "i"
                ports[f"{direction}_{'__'.join(map(str, path))}"] = Value.cast(value)
        if self.modules[name].has_clock:
            ports["i_clk"] = ClockSignal()
        if self.modules[name].has_reset:
            ports["i_rst"] = ResetSignal() if reset is None else ResetSignal() | reset
        return Instance(name, **ports)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, int | str | tuple)


def _plain(value: Any) -> int | str:
    return value if isinstance(value, int | str) else _text(value)
