"""``kakure host``: use an accelerator on a board, and compare it with the reference."""

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from kakure.model.commands.command import positive, whole
from kakure.model.link.frames import BAUD
from kakure.model.link.host import Host
from kakure.model.reference.network import network
from kakure.sim.board.client import BoardClient
from kakure.sim.board.serial_line import SerialLine
from kakure.sim.generation.project import open_project

__all__ = ["options", "run"]

FIRST = 100
"""Images where none are named; all, where there are fewer."""

FASTEST = 12_000_000
"""Of the serial bridges that there are [bit/s]."""


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("port", metavar="PORT", help="serial port of the board, or a pyserial URL")
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument(
        "--images", type=positive, metavar="N", help=f"test images (the first {FIRST})"
    )
    parser.add_argument(
        "--baud", type=whole(300, FASTEST), default=BAUD, help="bits per second (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Load the network, send images, print classes and speed; 1 if a logit differs."""
    project = open_project(args.config)
    images, said = project.images(args.images or FIRST)
    expected = network(project.config, project.parameters, images)
    with closing(SerialLine(args.port, args.baud)) as line:
        client = BoardClient(Host(line), project.config)
        begin = time.monotonic()
        client.load(project.parameters)
        loaded = time.monotonic()
        with tqdm(total=len(images), desc="images", unit="image") as bar:
            logits = client.run(images, bar.update)
        seconds = time.monotonic() - loaded
    print("classes " + " ".join(str(one) for one in logits.argmax(axis=1)))
    print(f"loaded in {loaded - begin:.2f} s; {len(images) / seconds:.1f} images/s over the line")
    wrong = (logits != expected).any(axis=1).nonzero()[0].tolist()
    for number in wrong[:3]:
        found, want = logits[number].tolist(), expected[number].tolist()
        print(f"FAIL image {number}: logits {found}, expected {want}", file=sys.stderr)
    if wrong:
        print(f"FAIL {len(wrong)} of {said} differ from the reference", file=sys.stderr)
        return 1
    print(f"PASS {said}: every logit equal to the reference ({logits.size} logits)")
    return 0
