# amaranth: UnusedElaboratable=no
"""A LAM that keeps to no bound is found out; those that do are among the proofs."""

import pytest

from kakure.hdl.arithmetic.lam_multiplier import LamMultiplier
from kakure.sim.formal.lam_claims import multiplies_nearly
from kakure.sim.formal.proofs import Proof
from kakure.sim.formal.prove import Result, prove


class Dishonest(LamMultiplier):
    """Claims one compensation, and computes with another."""

    def __init__(self, *, real: int, said: int) -> None:
        super().__init__(exponent_bits=3, fraction_bits=4, compensation=said)
        self.real = real
        self.said = said

    def elaborate(self, platform):
        self.compensation = self.real
        return super().elaborate(platform)


@pytest.mark.parametrize(("real", "said", "holds"), [(1, 1, True), (2, 1, False), (0, 1, False)])
def test_only_the_bounds_of_what_is_added_hold(real, said, holds, tmp_path):
    proof = Proof("", lambda: Dishonest(real=real, said=said), 1, multiplies_nearly)
    found = prove("dishonest", proof, tmp_path)
    assert found.holds == holds
    assert not holds or found == Result(True, True)
