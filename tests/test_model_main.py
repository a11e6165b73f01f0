import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.__main__ import main
from model.config import json_schema, load_config
from model.parameters import load_parameters
from model.presets import preset_json

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
    assert metadata["command"].startswith("python -m model train ")
    assert metadata["validation"].endswith("/206")
    assert not list((path.parent / "build" / "train").iterdir())
    assert main(["evaluate", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digits: ") and "of 360 test images right" in out


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
    ],
)
def test_options_out_of_range(path, option, value, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", str(path), f"{option}={value}"])
    assert stop.value.code == 2
    assert f"argument {option}: must be" in capsys.readouterr().err


def test_mistakes_are_one_line(path, capsys):
    assert main(["evaluate", "none.json"]) == 2
    assert error_line(capsys) == ("error: none.json: cannot be read: No such file or directory\n")
    assert main(["evaluate", str(path)]) == 2
    assert "must be an existing file" in error_line(capsys)
    assert main(["train", str(path), "--output", "none/a.safetensors"]) == 2
    assert "must be a file in an existing, writable folder" in error_line(capsys)
    assert main(["train", str(path), "--device", "tape"]) == 2
    assert "--device: must be usable here" in error_line(capsys)
    data = json.loads(path.read_text())
    del data["parameters"]
    path.write_text(json.dumps(data))
    assert main(["train", str(path)]) == 2
    assert error_line(capsys) == f"error: {path}: parameters: is required here, as a file name\n"


def test_schema(path, capsys):
    assert main(["schema", "--output", "-"]) == 0
    assert capsys.readouterr().out == json_schema()
    assert main(["schema", "--output", "a.json"]) == 0
    assert Path("a.json").read_text() == json_schema()
    capsys.readouterr()
    assert main(["schema", "--output", "none/a.json"]) == 2
    assert "cannot be written" in error_line(capsys)


def test_preset_and_data(capsys):
    assert main(["preset", "sar"]) == 0
    assert capsys.readouterr().out == preset_json("sar")
    assert main(["data", "digits"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for name in ("train", "evaluate", "data", "schema", "preset"):
        assert f"    {name} " in out


def test_an_interrupted_training_leaves_no_output_and_goes_on(path):
    command = [sys.executable, "-m", "model", "train", path.name, "--epochs", "20"]
    command += ["--device", "cpu"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
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
