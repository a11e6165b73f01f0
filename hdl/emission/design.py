"""A generated design: its distinct Verilog modules and how they are instantiated."""

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Design", "ModuleSource"]


@dataclass(frozen=True)
class ModuleSource:
    """One distinct Verilog module, without the text of the modules below it.

    Attributes
    ----------
    name : str
        Verilog module name.
    kind : str
        The generator's name in snake case, for example ``crossbar_tile``. The kind ``ram`` marks
        a memory macro, whose ``parameters`` are ``depth`` [words] and ``width`` [bit].
    verilog : str
        Text of this module only, self-contained but for the modules in ``instances``.
    instances : dict of str to str
        Instance name -> module name of every direct child.
    parameters : dict
        What the generator was called with.
    """

    name: str
    kind: str
    verilog: str
    instances: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """A tree of modules under one top.

    Attributes
    ----------
    top : str
        Name of the top module.
    modules : dict of str to ModuleSource
        Every distinct module by name, children before parents.
    """

    top: str
    modules: dict[str, ModuleSource]

    def instances(self) -> Iterator[tuple[str, ModuleSource]]:
        """Walk the tree: the path of every instance (``top.layer_0.tile_0``) and its module."""

        def walk(path: str, name: str) -> Iterator[tuple[str, ModuleSource]]:
            module = self.modules[name]
            yield path, module
            for instance, child in module.instances.items():
                yield from walk(f"{path}.{instance}", child)

        yield from walk(self.top, self.top)
