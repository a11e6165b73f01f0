"""The analog model's speed is printed, and measured on the layers that it names."""

from kakure.search.commands.kakure import main
from kakure.search.studies import analog_speed


def test_the_speed_is_printed(capsys, monkeypatch):
    assert analog_speed.speed(1400) > 0
    monkeypatch.setattr(analog_speed, "speed", lambda: 12345.6)
    assert main(["study", "analog-speed"]) == 0
    assert capsys.readouterr().out == (
        "analog model: 12,346 layer evaluations a second, 130,000 in a batch\n"
    )
