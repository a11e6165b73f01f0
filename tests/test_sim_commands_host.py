"""``kakure host`` with a board that is simulated, over a socket in the place of a port."""

import json
import socket
from pathlib import Path
from threading import Event, Thread

import pytest

from kakure.hdl.boards.serial_accelerator import SerialAccelerator
from kakure.model.reference.network import network
from kakure.search.commands.kakure import main
from kakure.sim.commands import host
from kakure.sim.drivers.line import SimulatedUart
from tests.tiny_accelerator import CONFIG


@pytest.fixture
def port():
    """URL of a board; its design is simulated as long as the test runs."""
    server = socket.create_server(("localhost", 0))
    ends = Event()

    def serve() -> None:
        design = SerialAccelerator(config=CONFIG, divisor=4, gap=100_000, depth=64)
        line = SimulatedUart(design, divisor=4)
        client, _ = server.accept()
        client.setblocking(False)
        with client:
            while not ends.is_set():
                try:
                    line.write(client.recv(4096))
                except BlockingIOError:
                    pass
                line.run(200)
                client.sendall(line.read(len(line.came)))

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield f"socket://localhost:{server.getsockname()[1]}"
    ends.set()
    thread.join(20)
    server.close()


@pytest.fixture
def config(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kakure.sim.board.serial_line.ANSWER_S", 10)  # a simulator is no board
    Path("tiny.json").write_text(json.dumps(CONFIG.model_dump(mode="json")))
    return "tiny.json"


def test_a_board_is_loaded_and_its_logits_compared(port, config, capsys):
    assert main(["host", port, config, "--images", "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("classes ") and len(said[0].split()) == 4
    assert "images/s over the line" in said[1]
    assert said[2] == "PASS 3 random images: every logit equal to the reference (9 logits)"


def test_a_logit_that_differs_is_a_failure(port, config, capsys, monkeypatch):
    monkeypatch.setattr(host, "network", lambda *given: network(*given) ^ 1)
    assert main(["host", port, config, "--images", "2"]) == 1
    assert "FAIL 2 of 2 random images differ from the reference" in capsys.readouterr().err


def test_a_port_that_is_not_there_is_named(config, capsys):
    assert main(["host", "no-such-port", config]) == 2
    assert "error: no-such-port: must be a serial port that can be opened: " in (
        capsys.readouterr().err
    )
