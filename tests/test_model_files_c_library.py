"""C is compiled once for a text, its options and a processor; a damaged library is not used."""

import shutil

import pytest

from kakure.model.errors import UserError
from kakure.model.files import c_library as library
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


def compiler_on_a_full_disk(bin_, full) -> None:
    """A compiler that cannot write below ``full``, and says so as gcc and ld do."""
    bin_.mkdir()
    (bin_ / "cc").write_text(f"""#!/bin/sh
case "$*" in *" {full}"*)
    echo "{full}/library.s: Assembler messages:" >&2
    echo "{full}/library.s: Fatal error: cannot close: No space left on device" >&2
    echo "collect2: error: ld returned 1 exit status" >&2
    exit 1
esac
exec {shutil.which("cc")} "$@"
""")
    (bin_ / "cc").chmod(0o755)


def test_another_folder_is_used_where_the_compiler_meets_a_full_disk(tmp_path, monkeypatch, capfd):
    compiler_on_a_full_disk(tmp_path / "bin", tmp_path / "kept")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert answer(tmp_path / "kept", 9) == 9
    assert capfd.readouterr() == ("", "")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_disk_that_is_full_everywhere_is_one_line(tmp_path, monkeypatch):
    compiler_on_a_full_disk(tmp_path / "bin", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr(library.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UserError, match=r"cc cannot compile [^\n]*: No space left on device$"):
        answer(tmp_path / "kept", 9)
    monkeypatch.setattr(library.tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"cc cannot compile the answer: No such file or directory"):
        c_library("the answer", "int", ["-DVALUE=9"], tmp_path / "bin" / "cc")


def test_what_does_not_compile_is_said_in_a_line(tmp_path):
    with pytest.raises(UserError, match=r"cc cannot compile the answer: .*error"):
        c_library("the answer", "int", ["-DVALUE"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"^the answer needs a C compiler: install gcc or clang$"):
        answer(tmp_path)
