"""``kakure prove``: formal proofs of blocks."""

import argparse

from kakure.model.errors import UserError
from kakure.sim.formal.proofs import PROOFS
from kakure.sim.formal.prove import prove

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="all if none is named")


def run(args: argparse.Namespace) -> int:
    """Prove, and say for how many cycles; 1 if something does not hold."""
    unknown = [name for name in args.names if name not in PROOFS]
    if unknown:
        raise UserError(f"must be one of {', '.join(PROOFS)}", where=("NAME",), value=unknown[0])
    code = 0
    for name in args.names or PROOFS:
        proof = PROOFS[name]
        result = prove(name, proof)
        if not result.holds:
            code = 1
            print(f"FAIL  {name}: {proof.text}; contradicted in {result.trace}", flush=True)
        else:
            when = "always" if result.is_inductive else f"for {proof.depth} cycles from reset"
            print(f"PASS  {name}: {proof.text}, {when}", flush=True)
    return code
