"""Bitstreams, with tools in the place of the real ones, which take minutes."""

import json
import sys
from pathlib import Path

import pytest

from kakure.hdl.boards import board_build
from kakure.hdl.boards.board_build import report_of
from kakure.hdl.boards.targets import TARGETS
from kakure.search.commands.kakure import main
from tests.tiny_accelerator import CONFIG

SAID = """Info: Device utilisation:
Info: \t          TRELLIS_IO:       5/    365     1%
Info: \t              DP16KD:       2/    208     0%
Info: \t          MULT18X18D:       2/    156     1%
Info: \t          TRELLIS_FF:    1646/  83640     1%
Info: \t        TRELLIS_COMB:    COMBS/  83640     4%
Info: Max frequency for clock '$glbnet$clk': 20.00 MHz (FAIL at 25.00 MHz)
Info: Max frequency for clock '$glbnet$clk': FOUND MHz (PASS at 25.00 MHz)
"""

TOOLS = {
    "yosys": "#!/bin/sh\ntest -f top.ys && echo {} > top.json\n",
    "nextpnr-ecp5": "#!/bin/sh\ncp %SAID% top.tim\necho config > top.config\n",
    "ecppack": "#!/bin/sh\necho bits > top.bit\n",
    "ecppll": (
        "#!/bin/sh\n[ $4 = 33 ] && exit 1\n"
        "echo 'module pll(input clkin, output clkout0, output locked); endmodule' > pll.v\n"
    ),
}


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Programs that write at once what the real ones write; each may be changed."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.json").write_text(json.dumps(CONFIG.model_dump(mode="json")))
    (tmp_path / "said").write_text(SAID.replace("COMBS", "3906").replace("FOUND", "38.49"))
    for name, text in TOOLS.items():
        path = tmp_path / name
        path.write_text(text.replace("%SAID%", str(tmp_path / "said")))
        path.chmod(0o755)
    monkeypatch.setattr(board_build, "_program", lambda name: str(tmp_path / name))
    return tmp_path


def folder_of(board: str) -> Path:
    (folder,) = Path("build/board").glob(f"{board}-*")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="the tools of this test are shell scripts")
@pytest.mark.parametrize("board", TARGETS)
def test_a_bitstream_and_what_it_takes(tools, board, capsys):
    assert main(["board", "tiny.json", "--board", board]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == ["synthesis ...", "placement and routing ...", "bitstream ..."]
    assert [line.split() for line in said[3:7]] == [
        ["LUT", "3906", "of", "83640"],
        ["FF", "1646", "of", "83640"],
        ["RAM", "2", "of", "208"],
        ["DSP", "2", "of", "156"],
    ]
    assert said[7] == "clock   25 MHz, 38.49 at most as routed (timing.txt)"
    folder = folder_of(board)
    assert (folder / "top.bit").read_text() == "bits\n"
    assert "Max frequency" in (folder / "timing.txt").read_text()
    facts = json.loads((folder / "board.json").read_text())
    assert (facts["board"], facts["fastest_mhz"]) == (board, 38.49)
    verilog = (folder / "top.il").read_text()
    assert ("cell \\pll " in verilog) == (board != "ulx3s_85f")  # whose own clock it is
    assert (folder / "pll.v").exists() == (board != "ulx3s_85f")


def refusal(capsys, *options: str) -> str:
    assert main(["board", "tiny.json", *options]) == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_what_does_not_fit_or_is_too_slow_is_refused_and_what_was_there_stays(tools, capsys):
    assert main(["board", "tiny.json", "--mhz", "30"]) == 0
    (tools / "said").write_text(SAID.replace("COMBS", "90000").replace("FOUND", "38.49"))
    (tools / "nextpnr-ecp5").write_text(f"#!/bin/sh\ncp {tools}/said top.tim\nexit 1\n")
    assert refusal(capsys) == (
        "error: --board: must have 90000 TRELLIS_COMB, not 83640 (ulx3s_85f)"
    )
    (tools / "said").write_text(SAID.replace("COMBS", "3").replace("FOUND", "24.29"))
    (tools / "nextpnr-ecp5").write_text(f"#!/bin/sh\ncp {tools}/said top.tim\n: > top.config\n")
    assert refusal(capsys) == "error: --mhz: must be at most 24.2, what was routed, not 25"
    (tools / "yosys").write_text("#!/bin/sh\necho ERROR: no such cell\nexit 1\n")
    (tools / "nextpnr-ecp5").write_text("#!/bin/sh\nexit 1\n")
    assert refusal(capsys) == (
        "error: ulx3s_85f: the tools must make a bitstream: ERROR: no such cell"
    )
    assert (folder_of("ulx3s_85f") / "top.bit").read_text() == "bits\n"


def test_clocks_and_lines_that_cannot_be(tools, capsys):
    assert refusal(capsys, "--mhz", "33") == (
        "error: --mhz: must be a clock that a PLL makes of 25 MHz, not 33"
    )
    for baud in ("4000000", "3500000"):
        said = refusal(capsys, "--mhz", "12", "--baud", baud)
        assert said.startswith("error: --baud: must be a fourth of the clock of 12 MHz at most")


def test_tools_that_are_missing_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("tiny.json").write_text(json.dumps(CONFIG.model_dump(mode="json")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert refusal(capsys) == (
        "error: yosys must be installed: make board, or pip install 'kakure[board]'"
    )


def test_of_several_clocks_the_slowest_counts_as_it_was_said_last():
    text = SAID.replace("FOUND", "40.00") + "Info: Max frequency for clock  'b': 31.50 MHz (PASS)\n"
    fastest, used = report_of(text.replace("COMBS", "7"))
    assert fastest == 31.5 and used["TRELLIS_COMB"] == (7, 83640)
    assert report_of("") == (None, {})
