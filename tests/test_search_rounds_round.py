"""A round keeps from the chosen network the images that judge it, where one part does."""

from dataclasses import asdict

import kakure.search.rounds.round
from kakure.search.phase2.paired import Paired
from kakure.search.phase2.parts import KEPT, Part
from kakure.search.phase2.witness import rights
from kakure.search.store.store import Store
from tests.small_search import SPACE, result, run, space


def test_one_part_is_kept_from_the_chosen_network_itself(tmp_path, monkeypatch):
    optimize, found = kakure.search.rounds.round.optimize, []

    def watched(*args, **options):
        found.append((args[2], optimize(*args, **options)))
        return found[-1][1]

    monkeypatch.setattr(kakure.search.rounds.round, "optimize", watched)
    effort = {**SPACE["effort"], "parts": 1, "confidence": 0.9, "accuracy_loss": 0.25}
    assert run(tmp_path, space(tmp_path, effort=effort)) == 0
    ((start, precise),) = found
    assert start.part == Part(0, KEPT)
    certificate = result(tmp_path)["phase2"]["certificate"]
    assert (certificate["parts"], certificate["images"]) == (1, 124)
    assert certificate["confidence"] == 0.9 and certificate["chosen"]["bound"] <= 0.25
    kept = start.part_images
    assert len(kept) == 124 and len(start.images) == 1437 - 124
    after = rights(precise.config, precise.parameters, kept)  # the very network that is chosen
    before = rights(precise.reference[0], precise.reference[1], kept)
    paired = Paired.of(before, after)
    assert certificate["chosen"] | asdict(paired) == certificate["chosen"]
    assert precise.chosen.levels != precise.start.levels and paired.lost > 0
    store = Store(tmp_path / "store.sqlite")
    assert store.count("start") == 1 and store.count("phase2.part") == 0
