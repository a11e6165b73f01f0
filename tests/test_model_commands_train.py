import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kakure.model.config.config import load_config
from kakure.model.config.presets import preset_json
from kakure.model.errors import UserError
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.training.training_lock import training_lock
from kakure.search.commands.kakure import main
from kakure.sim.generation.plan import describe
from tests.test_search_commands_kakure import KAKURE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A small network's configuration in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    data = json.loads(preset_json("digits"))
    data["layers"] = [data["layers"][2]]
    file = tmp_path / "digits.json"
    file.write_text(json.dumps(data))
    return file


def error_line(capsys):
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    return err


def test_train_then_evaluate(path, capsys):
    assert main(["train", str(path), "--epochs", "3", "--seed", "5", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "validation" in out and "of 3" in out
    config = load_config(path)
    metadata = load_parameters(path.with_suffix(".safetensors"), config).metadata
    assert metadata["config"] == config.digest
    assert (metadata["seed"], metadata["epochs"], metadata["dataset"]) == ("5", "3", "digits")
    assert metadata["command"].startswith("kakure train ")
    assert metadata["validation"].endswith("/206")
    history = json.loads(metadata["history"])
    assert [epoch for epoch, *_ in history] == [1, 2, 3]
    _, loss, correct, held_loss = history[int(metadata["epoch"]) - 1]
    assert metadata["validation"] == f"{correct}/206" and loss > 0
    assert metadata["validation_loss"] == f"{held_loss:.6f}"
    assert not list((path.parent / "build" / "train").iterdir())
    assert main(["evaluate", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digits: ") and "of 360 test images right" in out
    assert "rows are labels, columns answers:\nclass " in out
    assert list(path.parent.glob("build/evaluated/*.json"))


def test_options_of_train(path, capsys):
    other = path.parent / "other.safetensors"
    command = ["train", str(path), "--epochs", "1", "--batch-size", "400", "--output", str(other)]
    assert main([*command, "--learning-rate", "0.05", "--device", "cpu"]) == 0
    recipe = json.loads(load_parameters(other, load_config(path)).metadata["recipe"])
    assert (recipe["batch_size"], recipe["learning_rate"]) == (400, 0.05)
    capsys.readouterr()
    assert main(["evaluate", str(path), "--parameters", str(other), "--split", "train"]) == 0
    assert "of 1437 train images right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--epochs", "0"),
        ("--epochs", "x"),
        ("--batch-size", "1"),
        ("--learning-rate", "-1"),
        ("--learning-rate", "nan"),
        ("--seed", "-1"),
        ("--seed", str(2**63)),
        ("--threads", "0"),
        ("--threads", "99999999999"),
        ("--batch-size", "1e30"),
        ("--batch-size", str(10**30)),
        ("--learning-rate", "1e38"),
        ("--learning-rate", "1e300"),
        ("--epochs", "9" * 5000),
    ],
)
def test_options_out_of_range(path, option, value, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", str(path), f"{option}={value}"])
    assert stop.value.code == 2
    assert f"argument {option}: must be" in error_line(capsys)


def test_mistakes_are_one_line(path, capsys):
    assert main(["evaluate", "none.json"]) == 2
    assert error_line(capsys) == ("error: none.json: cannot be read: No such file or directory\n")
    assert main(["evaluate", str(path)]) == 2
    assert "must be an existing file" in error_line(capsys)
    assert main(["train", str(path), "--output", "none/a.safetensors"]) == 2
    assert "must be a file in an existing, writable folder" in error_line(capsys)
    for device in ("tape", "meta", "\x1b[31m", "cpu:" + "1" * 5000):
        assert main(["train", str(path), "--device", device]) == 2
        assert "--device: must be usable here" in error_line(capsys)
    data = json.loads(path.read_text())
    del data["parameters"]
    path.write_text(json.dumps(data))
    assert main(["train", str(path)]) == 2
    assert error_line(capsys) == f"error: {path}: parameters: is required here, as a file name\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\0b.safetensors", "must be a path that a file can have, not 'a\\x00b.safetensors'"),
        ("x" * 256, "must have names of at most 255 bytes, not 256"),
        ("none/a.safetensors", "must be a file in an existing, writable folder"),
        (".", "must be a file in an existing, writable folder, not a folder"),
        ("loop", "must be a file in an existing, writable folder: Too many levels of symbolic"),
    ],
)
def test_where_parameters_cannot_be_written_is_known_before_the_training(
    path, name, said, capsys, monkeypatch
):
    monkeypatch.setattr(
        "kakure.model.training.train.run", lambda *_, **__: pytest.fail("it trains")
    )
    (path.parent / "loop").symlink_to("loop")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parameters": name}))
    assert main(["train", str(path)]) == 2
    assert f"parameters: {said}" in error_line(capsys)


def test_parameters_may_have_the_longest_name(path):
    name = "x" * 255
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parameters": name}))
    assert main(["train", str(path), "--epochs", "1", "--device", "cpu"]) == 0
    assert load_parameters(path.parent / name, load_config(path)).metadata["epoch"] == "1"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--with", "validation=1"],
            "validation: must leave at least 2 images to train with, not 0, as 1 does",
        ),
        (["--with", "norm_rate=1e38"], "--with norm_rate: must be at most 1e+30, not '1e38'"),
        (["--teacher", "none"], "none: --teacher: must be an existing file"),
    ],
)
def test_what_cannot_be_trained_with_is_one_line(path, capsys, options, line):
    assert main(["train", str(path), "--epochs", "1", "--device", "cpu", *options]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {line}"


def test_parameters_may_have_a_name_that_is_no_text(path, capsys):
    name = os.fsdecode(b"o\xff")
    command = ["train", str(path), "--epochs", "1", "--device", "cpu", "--output", name]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("o\\udcff: epoch 1 of 1")
    found = load_parameters(path.parent / name, load_config(path)).metadata["command"]
    assert found.endswith(r"--output $'o\xff'")
    assert main(["evaluate", str(path), "--parameters", name]) == 0


def test_a_training_at_chance_is_written_and_said(path, capsys):
    command = ["train", str(path), "--epochs", "1", "--device", "cpu"]
    assert main([*command, "--learning-rate", "1e30"]) == 0
    file = path.with_suffix(".safetensors")
    warnings = [
        line.removeprefix(f"WARNING: {file}: ")
        for line in capsys.readouterr().err.replace("\r", "\n").splitlines()
        if line.startswith("WARNING: ")
    ]
    assert len(warnings) == 2 and warnings[0].startswith("diverged in epoch 1; epoch 0 is kept")
    assert warnings[1].startswith("at chance: ")
    metadata = load_parameters(file, load_config(path)).metadata
    assert metadata["warning"] == "; ".join(warnings)
    assert main(["evaluate", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "of 360 test images right" in out
    assert f"WARNING: {file}: at chance: " in err
    assert f"WARNING: {file}: when it was trained: diverged in epoch 1" in err
    assert main(["evaluate", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["at_chance"] is True
    assert f"WARNING: {metadata['warning']}" in describe(load_config(path), path)
    assert main(command) == 0  # and it is gone when the training is mended
    assert "warning" not in load_parameters(file, load_config(path)).metadata
    assert main(["evaluate", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[-1])["at_chance"] is False
    assert "WARNING: " not in err.replace("\r", "\n").rpartition("train digits")[2]


def test_a_density_that_keeps_nothing_names_file_layer_and_weights(path, capsys):
    data = json.loads(path.read_text())
    data["weights"]["density"] = 0.0005
    path.write_text(json.dumps(data))
    assert main(["train", str(path)]) == 2
    assert error_line(capsys) == (
        f"error: {path}: weights.density: must keep at least 1 of the 640 weights of layers[0], "
        "not 0, as 0.0005 does\n"
    )
    assert main(["check", str(path)]) == 2
    assert "weights.density: must keep at least 1" in error_line(capsys)


def test_a_training_says_what_it_does_before_its_first_step(path):
    command = [*KAKURE, "train", path.name, "--epochs", "1"]
    environment = os.environ
    run = subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, text=True, check=True
    )
    first, second, *_ = run.stderr.replace("\r", "\n").splitlines()
    assert first.startswith(
        "train digits: 1437 images; loading PyTorch, about 10 s until the first"
    )
    assert second.startswith("train digits: 1 epochs on ") and "the first step" in second


@pytest.mark.full
def test_two_trainings_of_one_configuration(path):
    command = [*KAKURE, "train", path.name, "--epochs", "40"]
    command += ["--device", "cpu"]
    environment = os.environ
    first = subprocess.Popen(
        command, cwd=path.parent, env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(path.parent.glob("build/train/*/seed1.pt")):
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    second = subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr.startswith(
        f"error: {path.name}: a training with this seed is under way already, and holds build/"
    )
    other = subprocess.run(  # another seed has a checkpoint of its own
        [*command, "--seed", "2", "--epochs", "1", "--output", "other.safetensors"],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode == 0, other.stderr
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    config = load_config(path)
    assert load_parameters(path.with_suffix(".safetensors"), config).metadata["epochs"] == "40"
    assert load_parameters(path.parent / "other.safetensors", config).metadata["epochs"] == "1"


def test_a_lock_ends_with_its_process(path):
    lock = path.parent / "lock"
    code = "import os, sys; from pathlib import Path\n"
    code += "from kakure.model.training.training_lock import *\n"
    code += "with training_lock(Path(sys.argv[1]), Path('a')): os.kill(os.getpid(), 9)"
    environment = os.environ
    run = subprocess.run([sys.executable, "-c", code, str(lock)], env=environment, check=False)
    assert run.returncode == -9
    with training_lock(lock, path):
        with pytest.raises(UserError, match="a training with this seed is under way already"):
            with training_lock(lock, path):
                pytest.fail("it has two")


def test_preset_and_data(capsys):
    assert main(["preset", "sar"]) == 0
    assert capsys.readouterr().out == preset_json("sar")
    assert main(["data", "digits"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out


def test_an_interrupted_training_leaves_no_output_and_goes_on(path):
    command = [*KAKURE, "train", path.name, "--epochs", "20"]
    command += ["--device", "cpu"]
    environment = os.environ
    run = subprocess.Popen(
        command, cwd=path.parent, env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(path.parent.glob("build/train/*/seed1.pt")):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.splitlines()[-1] == "interrupted; the same command goes on"
    assert "Traceback" not in err
    assert not list(path.parent.glob("*.safetensors")) and not list(path.parent.glob(".*"))
    again = subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=120
    )
    assert again.returncode == 0
    assert "of 20, validation" in again.stdout
