"""The driver in C against a simulated accelerator behind its link, and against wrong registers."""

import ctypes
import shutil
import subprocess
from ctypes import CFUNCTYPE, POINTER, Structure, c_int, c_int32, c_uint8, c_uint32, c_void_p

import numpy as np
import pytest

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.boards.serial_accelerator import SerialAccelerator
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.bus.register_map import constant_values
from kakure.hdl.emission.artifacts import design_of, write_design
from kakure.model.link.host import Host
from kakure.sim.drivers.line import SimulatedUart
from tests.tiny_accelerator import CONFIG, IMAGES, LOGITS, OFFSETS, PARAMETERS, SUPERMASK

READ = CFUNCTYPE(c_uint32, c_void_p, c_uint32)
WRITE = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)
SEND = CFUNCTYPE(c_uint32, c_void_p, POINTER(c_uint32), c_uint32, c_int)
RECEIVE = CFUNCTYPE(c_uint32, c_void_p, POINTER(c_uint32), c_uint32)

OK, NO_ACCELERATOR, OTHER_VERSION, OTHER_NETWORK, FAILED, STUCK = range(6)
DIGEST = architecture_of(CONFIG).digest
TRIES = 200


class Bus(Structure):
    _fields_ = [
        ("context", c_void_p),
        ("read", READ),
        ("write", WRITE),
        ("send", SEND),
        ("receive", RECEIVE),
    ]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """What `kakure gen` leaves, compiled as strictly as it can be."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("driver")
    write_design(folder, CONFIG, design_of(CONFIG, "tiny.json"), PARAMETERS)
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror"]
    built = folder / "driver.so"
    command = [compiler, *strict, "-shared", "-fPIC", "-o", built, folder / "kakure_driver.c"]
    subprocess.run(command, check=True)
    assert "malloc" not in (folder / "kakure_driver.c").read_text()
    return ctypes.CDLL(str(built))


def bus_of(read, write, send, receive) -> Bus:
    def sent(_, words, count, is_last):
        return send([words[n] for n in range(count)], is_last)

    def received(_, words, most):
        came = receive(most)
        for number, word in enumerate(came):
            words[number] = word
        return len(came)

    return Bus(
        None,
        READ(lambda _, offset: read(offset)),
        WRITE(lambda _, offset, value: write(offset, value)),
        SEND(sent),
        RECEIVE(received),
    )


def linked() -> Bus:
    """The bus of a board at the other end of a UART."""
    design = SerialAccelerator(config=CONFIG, divisor=4, gap=800, depth=16)
    host = Host(SimulatedUart(design, divisor=4, patience=2000))
    host.hello()

    def send(words, is_last):
        some = words[:5]
        taken = host.send(some, is_last=bool(is_last) and len(some) == len(words))
        return len(some) if taken else 0

    return bus_of(host.read, host.write, send, host.receive)


def load(driver, bus, words):
    return driver.kakure_load(ctypes.byref(bus), (c_uint32 * len(words))(*words), len(words), TRIES)


def run(driver, bus, image, classes=3, tries=TRIES):
    data = image.tobytes()
    logits = (c_int32 * classes)()
    status = driver.kakure_run(
        ctypes.byref(bus), (c_uint8 * len(data))(*data), len(data), logits, classes, tries
    )
    return status, list(logits)


def test_a_network_is_loaded_and_images_become_its_logits(driver):
    bus = linked()
    assert driver.kakure_open(ctypes.byref(bus), DIGEST.encode()) == OK
    assert load(driver, bus, SUPERMASK) == OK
    for image, logits in zip(IMAGES[:2], LOGITS, strict=False):
        assert run(driver, bus, image) == (OK, logits.tolist())
    assert run(driver, bus, IMAGES[0], classes=4, tries=3)[0] == STUCK  # there are three
    assert driver.kakure_open(ctypes.byref(bus), DIGEST.encode()) == OK
    wrong = [SUPERMASK[0] ^ 1, *SUPERMASK[1:]]
    assert load(driver, bus, wrong) == FAILED
    assert driver.kakure_error(ctypes.byref(bus)) in {code.value for code in ErrorCode} - {0}


def test_what_is_no_accelerator_of_this_network_is_told_apart(driver):
    values = {OFFSETS[name]: value for name, value in constant_values(DIGEST).items()}
    written = []

    def status(**changed) -> int:
        held = values | {OFFSETS[name]: value for name, value in changed.items()}
        bus = bus_of(held.__getitem__, lambda *pair: written.append(pair), None, None)
        return driver.kakure_open(ctypes.byref(bus), DIGEST.encode())

    assert status(IDENTITY=0) == NO_ACCELERATOR
    assert status(VERSION=99) == OTHER_VERSION
    for k in range(8):
        word = values[OFFSETS[f"DIGEST_{k}"]]
        assert status(**{f"DIGEST_{k}": word ^ 1 << k}) == OTHER_NETWORK
    assert written == []
    assert status() == OK and len(written) == 1


def test_an_accelerator_that_takes_nothing_is_stuck(driver):
    asked = []
    bus = bus_of(lambda _: 0, None, lambda *_: 0, lambda most: asked.append(most) or [])
    assert load(driver, bus, [1, 2]) == STUCK
    assert run(driver, bus, IMAGES[0], tries=7)[0] == STUCK
    assert asked == [1] * 8


def test_the_class_is_the_first_of_the_largest(driver):
    for logits in ([3], [1, 5, 5], [-(2**31), 2**31 - 1], [-2, -1, -3]):
        given = (c_int32 * len(logits))(*logits)
        assert driver.kakure_class(given, len(logits)) == int(np.argmax(logits))
