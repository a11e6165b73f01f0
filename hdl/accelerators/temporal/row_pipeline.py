"""What rows are, while their signs are being made."""

from amaranth.hdl import Module, Signal

from .block_rows import BlockRows
from .row_signs_shape import LATENCY

__all__ = ["RowPipeline"]


class RowPipeline:
    """Stages that go along with those of :class:`~.row_signs.RowSigns`.

    Parameters
    ----------
    rows : BlockRows
        What enters.

    Attributes
    ----------
    goes, is_there, group : list of Signal
        Those of the rows in each stage; first, of those that enter; last, of those whose signs are
        there.
    """

    def __init__(self, rows: BlockRows) -> None:
        many, group = rows.is_there.shape(), rows.group.shape()
        stages = range(LATENCY)
        going = [Signal(name=f"going_{n}") for n in stages]
        there = [Signal(many, name=f"there_{n}", reset_less=True) for n in stages]
        groups = [Signal(group, name=f"group_{n}", reset_less=True) for n in stages]
        self.goes = [rows.goes, *going]
        self.is_there = [rows.is_there, *there]
        self.group = [rows.group, *groups]

    def build(self, m: Module) -> None:
        """Move rows on in ``m``, a stage in a cycle."""
        for stage in range(LATENCY):
            m.d.sync += self.goes[stage + 1].eq(self.goes[stage])
            with m.If(self.goes[stage]):
                m.d.sync += self.is_there[stage + 1].eq(self.is_there[stage])
                m.d.sync += self.group[stage + 1].eq(self.group[stage])
