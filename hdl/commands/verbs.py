"""The verbs of the hardware, and its studies."""

from kakure.model.commands.verb import Verb

__all__ = ["STUDIES", "VERBS"]

VERBS = (
    Verb(
        "synth",
        "Evidence",
        "synthesize: area, cells and critical path",
        "kakure.hdl.commands.synth",
        interrupted="interrupted; what was synthesized is kept",
    ),
)

STUDIES = (
    Verb(
        "memory-macro",
        "Cost models",
        "fit memory macros to CACTI's table",
        "kakure.hdl.synthesis.memory_macro",
    ),
    Verb("cacti", "Cost models", "run CACTI for that table", "kakure.hdl.synthesis.cacti"),
)
