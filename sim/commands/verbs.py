"""The verbs of generation and proof."""

from kakure.model.commands.verb import Verb

__all__ = ["VERBS"]

VERBS = (
    Verb(
        "check",
        "Start",
        "check a configuration and say what it builds",
        "kakure.sim.commands.check",
    ),
    Verb(
        "sim",
        "Hardware",
        "simulate against the reference, bit for bit",
        "kakure.sim.commands.simulate",
    ),
    Verb(
        "board",
        "Hardware",
        "make the bitstream of an accelerator on a board",
        "kakure.hdl.commands.board",
    ),
    Verb(
        "host",
        "Hardware",
        "use an accelerator on a board, and compare it with the reference",
        "kakure.sim.commands.host",
    ),
    Verb(
        "blocks",
        "Evidence",
        "simulate single generators over a sweep of parameters",
        "kakure.sim.commands.blocks",
    ),
    Verb(
        "prove",
        "Evidence",
        "prove formally what is claimed of single blocks",
        "kakure.sim.commands.prove",
    ),
    Verb(
        "mutants",
        "Evidence",
        "put faults into the sources and see that the tests notice",
        "kakure.sim.commands.mutants",
        interrupted="interrupted; the same command goes on",
    ),
)
