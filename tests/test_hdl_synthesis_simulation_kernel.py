"""The compiled loop is found again, and never used where it is damaged."""

import pytest

from kakure.hdl.synthesis import simulation_kernel
from kakure.hdl.synthesis.simulation_kernel import kernel
from kakure.model.files.seal import read_sealed


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(simulation_kernel, "CACHE", tmp_path)
    kernel.cache_clear()
    yield tmp_path
    kernel.cache_clear()


def test_a_damaged_library_is_named_and_compiled_anew(folder, capsys):
    kernel()
    (built,) = folder.iterdir()
    whole = read_sealed(built)
    damaged = bytearray(built.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    built.unlink()  # the old bytes are mapped into this process
    built.write_bytes(damaged)
    kernel.cache_clear()
    kernel()
    assert read_sealed(built) == whole
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{built}: is damaged") and line.endswith("it is compiled anew")
    kernel.cache_clear()
    kernel()
    assert capsys.readouterr().err == ""
