"""``kakure sim --runner compiled``: what it proves, what a fault leads to, what a kill leaves."""

import json
import re
import shutil
import stat
from pathlib import Path

import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.hdl.emission.artifacts import top_name
from kakure.model.config.config import load_config
from kakure.model.files.seal import read_sealed
from kakure.search.commands.kakure import main
from kakure.sim.generation.generate import generate
from kakure.sim.generation.project import open_project
from kakure.sim.runner import vector_file
from kakure.sim.runner.model_build import compiled_model
from kakure.sim.runner.model_tasks import FULL_RATE, Program, Task, TaskFailed
from kakure.sim.runner.run_folder import CACHE
from kakure.sim.runner.simulate import simulate
from kakure.sim.runner.simulate_model import BATCH, simulate_model
from kakure.sim.runner.vector_file import VectorWriter
from tests.test_sim_generation_generate import TINY
from tests.test_sim_runner_simulate import ROOT, share_cache

FAULTS = {
    "assign values[63:32] = 32'd2;": "assign values[63:32] = 32'd3;",
    ".offers(i__valid)": ".offers(is_busy)",
    "assign m_axis_tdata = o__payload[31:0];": (
        "assign m_axis_tdata = o__payload[31:0] ^ { 31'h0, ~ m_axis_tready };"
    ),
    ".sends_class(control[1])": ".sends_class(1'h0)",
    "assign \\$5  = rst | control[0];": "assign \\$5  = rst;",
    "assign values[543:512] = dropped;": "assign values[543:512] = 32'd0;",
    ".is_batch(control[2])": ".is_batch(1'h0)",
    ".load(control[4])": ".load(1'h0)",
    ".is_split(control[3])": ".is_split(1'h1)",
}
"""In the text of the accelerator that every test then finds wrong."""

CHANGED = r"word \d+ was offered and not taken, and then changed to \d+"
FOUND = {
    "registers_answer_as_the_map_says": "register 4 must be 2, not 3",
    "all_images_at_full_rate": r"LATENCY must be \d+, not \d+",
    "back_pressure_on_both_sides": CHANGED,
    "classes_instead_of_logits": r"image 0: its class must be [0-3], not \d+",
    "a_corrupted_supermask_is_refused": "STATUS must be 0, not 2",
    "a_reset_in_the_middle_of_an_image": "STATUS must be 0, not 5",
    "frames_too_short_and_too_long": r"DROPPED must be \d+, not 0",
    "a_batch_without_last": (
        r"hangs: nothing was sent or received for \d+ cycles; 0 words are not sent, 12 not received"
    ),
    "a_load_without_a_reset": CHANGED,
    "a_supermask_in_several_transfers": "STATUS must be 2, not 1",
    "class_changes_while_a_logit_is_offered": CHANGED,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.json"
    path.write_text(json.dumps(TINY))
    share_cache(path.parent)
    return path


def compiled_tiny(tiny: Path, faults: dict[str, str], folder: Path) -> Program:
    """The program of a generated folder, whose top has other lines."""
    project = open_project(tiny)
    generated = generate(project)
    top = top_name(project.config)
    modules = {file.stem: file.read_text() for file in (generated / "verilog").glob("*.v")}
    for old, new in faults.items():
        assert old in modules[top]
        modules[top] = modules[top].replace(old, new)
    header = (generated / "kakure.h").read_text()
    executable = compiled_model(modules, top, header, CACHE, quiet=True)
    return Program(executable, VectorWriter(project.config, project.parameters), 1, folder)


def done_before_a_kill(path: Path, images: int, tasks: int, monkeypatch) -> list[Task]:
    """Interrupt a simulation when so many tasks are done; return those."""
    done = []
    run = Program.run

    def interrupted(self, task, *rest):
        if len(done) == tasks:
            raise KeyboardInterrupt
        counts = run(self, task, *rest)
        done.append(task)
        return counts

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Program, "run", interrupted)
        simulate_model(open_project(path), images, 1, 1)
    return done


def tasks_of(path: Path, images: int, monkeypatch) -> tuple[list[Task], str]:
    """Simulate to the end; return what was done, and the note."""
    done = []
    run = Program.run

    def noted(self, task, *rest):
        done.append(task)
        return run(self, task, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Program, "run", noted)
        outcome = simulate_model(open_project(path), images, 1, 2)
    assert outcome.failures == []
    assert outcome.images == f"{images} random images"
    return done, outcome.note


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "build" / "sim").glob("*/kept.*/*"))


@pytest.mark.xdist_group("tiny_model")
def test_every_image_is_compared_in_batches_that_begin_with_a_reset(tiny, monkeypatch, capsys):
    monkeypatch.chdir(tiny.parent)
    images = 2 * BATCH + 3
    assert main(["sim", str(tiny), "--images", str(images), "--runner", "compiled"]) == 0
    config = load_config(tiny)
    cycles = 2 * image_timing(config, BATCH).results[-1] + image_timing(config, 3).results[-1]
    assert re.fullmatch(
        rf"PASS {images} random images: .*"
        rf"\({4 * images} logits, {cycles} cycles, 11 tests; \d+ s\)\n",
        capsys.readouterr().out,
    )
    assert list((tiny.parent / "build" / "sim").glob("*/*")) == []


@pytest.mark.xdist_group("tiny_model")
def test_one_image_and_one_process_are_enough(tiny, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    outcome = simulate_model(open_project(tiny), 1, 7, 1)
    assert outcome.failures == []
    assert (outcome.images, outcome.logits, outcome.tests) == ("1 random images", 4, 11)


@pytest.mark.xdist_group("tiny_model")
def test_both_runners_have_the_same_tests(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    text = (ROOT / "sim" / "bench" / "test_accelerator.py").read_text()
    names = re.findall(r"@OUTCOME.counted\nasync def (\w+)", text)
    assert compiled_tiny(tiny, {}, tmp_path).tests() == names == list(FOUND)


@pytest.mark.xdist_group("tiny_model")
def test_every_test_finds_its_fault(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    program = compiled_tiny(tiny, FAULTS, tmp_path)
    images, _ = open_project(tiny).images(12)
    for test, said in FOUND.items():
        with pytest.raises(TaskFailed, match=f"^{test}: {said}$"):
            program.run(Task(test, 0, 12), images, lambda: None)


@pytest.mark.xdist_group("tiny_model")
def test_a_fault_in_the_verilog_names_image_class_and_both_values(tiny, monkeypatch, capsys):
    """Let the pool of layer 0 take a minimum, in the folder that kakure sim uses."""
    monkeypatch.chdir(tiny.parent)
    folder = generate(open_project(tiny))
    file = next((folder / "verilog").glob("max_pool_*.v"))
    text = file.read_text()
    mutated = re.sub(r"(= \$signed\(\S+\)) > ", r"\1 < ", text, count=1)
    assert mutated != text
    file.write_text(mutated)
    try:
        assert main(["sim", str(tiny), "--images", "40", "--runner", "compiled"]) == 1
    finally:
        file.write_text(text)
    printed = capsys.readouterr()
    assert f"simulated as it is, edited by hand: {file.name}" in printed.out
    assert "PASS" not in printed.out
    assert re.search(
        r"^FAIL all_images_at_full_rate: image \d+, class \d: expected -?\d+, got -?\d+$",
        printed.err,
        re.MULTILINE,
    )
    assert printed.err.endswith("--runner cocotb names layer and position, and leaves a waveform\n")
    shutil.rmtree(tiny.parent / "build" / "sim")  # the run that failed, and what it had done


@pytest.mark.xdist_group("tiny_model")
def test_another_logit_or_cycle_is_named(tiny, tmp_path, monkeypatch):
    """In the second batch: the number of an image is that in the test set."""
    monkeypatch.chdir(tiny.parent)
    program = compiled_tiny(tiny, {}, tmp_path)
    project = open_project(tiny)
    images = project.images(2 * BATCH)[0][BATCH:]
    task = Task(FULL_RATE, BATCH, BATCH)
    right = vector_file.network(project.config, project.parameters, images)
    wrong = right.copy()
    wrong[2, 3] += 1
    with monkeypatch.context() as patch:
        patch.setattr(vector_file, "network", lambda *_: wrong)
        with pytest.raises(TaskFailed) as failed:
            program.run(task, images, lambda: None)
    said = f"expected {wrong[2, 3]}, got {right[2, 3]}"
    assert str(failed.value) == f"{FULL_RATE}: image {BATCH + 2}, class 3: {said}"

    cycles = image_timing(project.config, BATCH).results
    program.writer.cycles = lambda _: (*cycles[:2], cycles[2] + 1, *cycles[3:])
    with pytest.raises(TaskFailed) as failed:
        program.run(task, images, lambda: None)
    said = f"its result must end in cycle {cycles[2] + 1}, not {cycles[2]}"
    assert str(failed.value) == f"{FULL_RATE}: image {BATCH + 2}: {said}"


@pytest.mark.xdist_group("tiny_model")
def test_a_hang_ends_at_the_deadline(tiny, tmp_path, monkeypatch):
    """Images that lack their last word have no result."""
    monkeypatch.chdir(tiny.parent)
    program = compiled_tiny(tiny, {}, tmp_path)
    project = open_project(tiny)
    images, _ = project.images(2)
    packed = vector_file.pack_image
    monkeypatch.setattr(vector_file, "pack_image", lambda image: packed(image)[:-1])
    with pytest.raises(TaskFailed) as failed:
        program.run(Task(FULL_RATE, 0, 2), images, lambda: None)
    timing = image_timing(project.config, 1).latency
    writer = program.writer
    patience = 1000 + 4 * (writer.load_cycles + writer.settle_cycles + timing)
    assert str(failed.value) == (
        f"{FULL_RATE}: hangs: nothing was sent or received for {patience} cycles; "
        "0 words are not sent, 8 not received"
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -SEGV $$", "the simulator was ended by SIGSEGV: nothing"),
        ("echo %Error: no memory >&2; echo more >&2; exit 3", "with code 3: %Error: no memory"),
        ("echo PASS 1 images=2", "the simulator ended with code 0: nothing"),
        ("echo PASS $CRC images=1 logits=8", "must compare .*, not {'images': 1, 'logits': 8}"),
        ("echo PASS $CRC ; exit 1", "the simulator ended with code 1"),
    ],
)
def test_a_process_that_does_not_end_well_is_one_line(tiny, tmp_path, monkeypatch, script, said):
    project = open_project(tiny)
    executable = tmp_path / "program"
    crc = "CRC=$(od -An -tu4 -j $(($(wc -c < $1) - 4)) $1 | tr -d ' ')"
    executable.write_text(f"#!/bin/sh\n{crc}\n{script}\n")
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
    program = Program(executable, VectorWriter(project.config, project.parameters), 1, tmp_path)
    with pytest.raises(TaskFailed, match=f"^{FULL_RATE} of images 0 to 1: .*{said}") as failed:
        program.run(Task(FULL_RATE, 0, 2), project.images(2)[0], lambda: None)
    assert "\n" not in str(failed.value)


@pytest.mark.xdist_group("tiny_model")
def test_vectors_that_are_damaged_are_not_simulated(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    program = compiled_tiny(tiny, {}, tmp_path)
    write = VectorWriter.write
    images, _ = open_project(tiny).images(2)
    for damage in (
        lambda data: data[:-4],
        lambda data: data[:90] + b"x" + data[91:],
        lambda _: b"",
    ):

        def damaged(self, path, images, first, damage=damage):
            crc = write(self, path, images, first)
            path.write_bytes(damage(path.read_bytes()))
            return crc

        monkeypatch.setattr(VectorWriter, "write", damaged)
        with pytest.raises(
            TaskFailed, match=r"code 2: \S+: is no file of golden vectors, or is dam"
        ):
            program.run(Task(FULL_RATE, 0, 2), images, lambda: None)


@pytest.mark.xdist_group("tiny_model")
def test_what_was_done_before_a_kill_is_not_done_again(tiny, monkeypatch, capsys):
    monkeypatch.chdir(tiny.parent)
    images = 2 * BATCH  # two tasks at full rate, of which the second comes last, and ten others
    before = done_before_a_kill(tiny, images, 11, monkeypatch)
    assert len(before) == len(kept(tiny.parent)) == 11
    damaged, other = kept(tiny.parent)[:2]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    assert json.loads(read_sealed(other))["counts"]
    after, note = tasks_of(tiny, images, monkeypatch)
    name = damaged.name.partition(".")[0]
    assert set(after) == {Task(name, 0, 12), Task(FULL_RATE, BATCH, BATCH)}
    assert f"{damaged.relative_to(tiny.parent)}: is damaged" in capsys.readouterr().err
    assert note == f"{BATCH} images were compared before, by a run that did not end\n"
    assert kept(tiny.parent) == []
    assert len(tasks_of(tiny, images, monkeypatch)[0]) == 12


@pytest.mark.xdist_group("tiny_model")
def test_another_seed_begins_anew(tiny, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    done_before_a_kill(tiny, 3, 2, monkeypatch)
    assert simulate_model(open_project(tiny), 3, 2, 1).note == ""
    assert len(kept(tiny.parent)) == 2
    assert len(tasks_of(tiny, 3, monkeypatch)[0]) == 9


def test_jobs_are_for_compiled_programs(tiny, capsys):
    assert main(["sim", str(tiny), "--jobs", "2"]) == 2
    said = "error: --jobs: must come with --runner compiled: cocotb runs one at a time\n"
    assert capsys.readouterr().err == said


def test_what_cannot_be_compiled_is_one_line(tmp_path, monkeypatch, capsys):
    place = tmp_path / "a b"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr("tempfile.tempdir", str(place))
    (place / "tiny.json").write_text(json.dumps(TINY))
    assert main(["sim", "tiny.json", "--runner", "compiled", "--images", "1"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"FAIL TMPDIR: must be a path of letters, digits and ./+,@^-_ alone, not {place}"
    )


@pytest.mark.full
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(("name", "images"), [("digits", 360), ("fashion-mnist", 1000)])
def test_test_images_through_the_whole_accelerator(name, images, tmp_path, monkeypatch):
    """The shipped configurations: every logit, and every result in its cycle."""
    if not (name == "digits" or (ROOT / "data" / name).exists()):
        pytest.skip(f"needs make data DATASET={name}")
    monkeypatch.chdir(tmp_path)
    share_cache(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    project = open_project(ROOT / "configs" / f"{name}.json")
    outcome = simulate_model(project, images, 1, 2)
    assert outcome.failures == []
    assert outcome.images == f"{images} test images of {name}"
    assert (outcome.logits, outcome.tests) == (10 * images, 11)


@pytest.mark.full
def test_runners_agree_on_digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    share_cache(tmp_path)
    project = open_project(ROOT / "configs" / "digits.json")
    one, other = simulate(project, BATCH, 1), simulate_model(project, BATCH, 1, 2)
    assert one.failures == other.failures == []
    assert (one.images, one.logits, one.cycles, one.tests) == (
        other.images,
        other.logits,
        other.cycles,
        other.tests,
    )
