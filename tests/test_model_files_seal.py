import json
import random

import pytest

from kakure.model.errors import Damaged
from kakure.model.files.seal import open_line, opened, read_sealed, seal_line, sealed


@pytest.mark.parametrize("data", [b"", b"x", b"\nsha256 \n" * 20, bytes(range(256)) * 4])
def test_what_was_sealed_is_opened_again_and_nothing_else(data):
    whole = sealed(data)
    assert opened(whole, "it") == data
    others = [whole[:size] for size in range(len(whole))] + [whole + b"\n"]
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        others.append(bytes(changed))
    for other in others:
        with pytest.raises(Damaged, match=r"^it: is damaged: its checksum does not match"):
            opened(other, "it")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(Damaged, match=r"cannot be read: Is a directory"):
        read_sealed(tmp_path)


def test_a_sealed_line_is_json_and_no_flipped_character_is_read():
    text = json.dumps({"name": "µ", "values": [1, 2.5]}, separators=(",", ":"))
    line = seal_line(text)
    assert open_line(line) == text
    assert {**json.loads(text), "sha256": json.loads(line)["sha256"]} == json.loads(line)
    draw = random.Random(1)
    for place in range(len(line)):
        other = chr(ord(line[place]) ^ 1 << draw.randrange(7))
        assert open_line(line[:place] + other + line[place + 1 :]) is None
    for wrong in ("", "{}", text, line[:-1], line + " "):
        assert open_line(wrong) is None
