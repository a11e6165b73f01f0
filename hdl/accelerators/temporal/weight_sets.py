"""Two sets of weights: one in use, one that is written."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from kakure.hdl.emission.hierarchy import Platform, place

from .excess_counter import ExcessCounter

__all__ = ["WeightSets"]


class WeightSets:
    """Weights of a block of inputs, for each output: those of the next block come meanwhile.

    Parameters
    ----------
    weights : View of :func:`.made_layout`
        In a cycle with ``valid``, those of ``many`` inputs. Groups come in order, each once.
    inputs, outputs : int
        Of the array.
    many : int
        Inputs whose weights come in a cycle.

    Attributes
    ----------
    positive, negative : list of Signal
        In use, for each output: a bit for each input whose weight is 1, or −1.
    excess : list of Signal
        How many are negative, of each output.
    """

    def __init__(self, *, weights: Any, inputs: int, outputs: int, many: int) -> None:
        self.weights = weights
        self.inputs = inputs
        self.outputs = outputs
        self.many = many
        self.positive = self._words("positive")
        self.negative = self._words("negative")
        self._counters = [ExcessCounter(inputs=inputs, many=many) for _ in range(outputs)]
        self.excess = [counter.o for counter in self._counters]

    def build(self, m: Module, exchange: Value) -> None:
        """Keep in ``m`` what comes; at the end of a cycle of ``exchange`` it is in use."""
        weights = self.weights
        for name, used in (("positive", self.positive), ("negative", self.negative)):
            made = self._words(f"made_{name}")
            rows = weights[name]
            for group in range(self.inputs // self.many):
                with m.If(weights.valid & (weights.group == group)):
                    for n in range(self.many):
                        lane = group * self.many + n
                        m.d.sync += [word[lane].eq(rows[n][o]) for o, word in enumerate(made)]
            with m.If(exchange):
                m.d.sync += [old.eq(new) for old, new in zip(used, made, strict=True)]

    def count(self, m: Module, platform: Platform | None, exchange: Value) -> None:
        """Count in ``m`` the negative weights as they come."""
        weights = self.weights
        for o, counter in enumerate(self._counters):
            m.submodules[f"excess_{o}"] = place(counter, platform)
            m.d.comb += [
                counter.valid.eq(weights.valid),
                counter.is_first.eq(weights.group == 0),
                counter.negative.eq(Cat(weights.negative[n][o] for n in range(self.many))),
                counter.takes.eq(exchange),
            ]

    def _words(self, name: str) -> list[Signal]:
        """A word of inputs for each output."""
        return [
            Signal(self.inputs, name=f"{name}_{o}", reset_less=True) for o in range(self.outputs)
        ]
