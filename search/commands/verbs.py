"""The verbs of the search, and the one command that knows all verbs."""

from kakure.hdl.commands.verbs import VERBS as HDL
from kakure.model.commands.verb import Index, Verb
from kakure.model.commands.verbs import VERBS as MODEL
from kakure.search.studies.index import STUDY
from kakure.sim.commands.verbs import VERBS as SIM

__all__ = ["INDEX"]

GEN = Verb(
    "gen",
    "Hardware",
    "write Verilog, bench, synthesis report and a page about them",
    "kakure.search.commands.gen",
)

SEARCH = (
    Verb("space", "Search", "say how large a search space is", "kakure.search.commands.space"),
    Verb(
        "search",
        "Search",
        "search a space for the best configuration",
        "kakure.search.commands.search",
        interrupted="interrupted; the same command goes on",
    ),
    Verb(
        "bench",
        "Evidence",
        "measure the speed of simulation, synthesis, reference and search",
        "kakure.search.commands.bench",
    ),
    Verb(
        "calibrate",
        "Evidence",
        "synthesize the sample of the digital cost model, and fit it",
        "kakure.search.cost.digital.calibrate",
        interrupted="stopped; the same command goes on from here",
    ),
    STUDY,
    Verb(
        "schema",
        "Editors and shells",
        "write the schemas of configurations and search spaces",
        "kakure.search.commands.schema",
    ),
    Verb(
        "completion",
        "Editors and shells",
        "print a script that completes verbs, options and files",
        "kakure.search.commands.completion",
    ),
)

INDEX = Index(
    "kakure",
    "",
    "from a searched configuration to verified hardware",
    ("Start", "Network", "Hardware", "Search", "Evidence", "Editors and shells"),
    (*MODEL, *HDL, GEN, *SIM, *SEARCH),
)
