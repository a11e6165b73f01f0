"""C is compiled once for a text, its options and a processor; a damaged library is not used."""

import shutil

import pytest

from kakure.model.errors import UserError
from kakure.model.files.c_library import c_library
from kakure.model.files.seal import read_sealed

TEXT = "int answer(void) { return VALUE; }"


def answer(folder, value: int = 42) -> int:
    return c_library("the answer", TEXT, [f"-DVALUE={value}"], folder).answer()


def test_a_library_is_kept_for_its_text_and_options(tmp_path):
    assert [answer(tmp_path), answer(tmp_path), answer(tmp_path, 7)] == [42, 42, 7]
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2 and all(read_sealed(file) for file in files)


def test_it_is_made_anew_where_the_compiler_is_another(tmp_path, monkeypatch):
    answer(tmp_path)
    other = tmp_path / "bin" / "cc"
    other.parent.mkdir()
    other.write_text(f'#!/bin/sh\nexec {shutil.which("cc")} -DMORE "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent), prepend=":")
    answer(tmp_path)
    assert len(list(tmp_path.glob("*.so"))) == 2


def test_a_damaged_library_is_named_and_compiled_anew(tmp_path, capsys):
    c_library("the answer", TEXT + " ", ["-DVALUE=1"], tmp_path)
    (built,) = tmp_path.iterdir()
    data = bytearray(built.read_bytes())
    data[len(data) // 2] ^= 1
    built.unlink()  # the old bytes are mapped into this process
    built.write_bytes(data)
    c_library("the answer", TEXT + " ", ["-DVALUE=1"], tmp_path)
    assert capsys.readouterr().err.startswith(f"{built}: is damaged")
    assert read_sealed(built)


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    assert answer(tmp_path / "file" / "below", 3) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_does_not_compile_is_said_in_a_line(tmp_path):
    with pytest.raises(UserError, match=r"cc cannot compile the answer: .*error"):
        c_library("the answer", "int", ["-DVALUE"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"^the answer needs a C compiler: install gcc or clang$"):
        answer(tmp_path)
