"""Codes of ERROR.CODE: every error of loading and of frames has one, and no two are equal."""

from hdl.error_code import ErrorCode
from hdl.frame_gate import FrameError
from hdl.image_reader import LoadError


def test_every_error_of_loading_and_of_frames_has_its_code():
    named = {error.name: error.value for error in ErrorCode}
    assert named == {error.name: error.value for error in [*LoadError, *FrameError]}
    assert all(error.value < 8 for error in LoadError)
    assert all(error.value >= 8 for error in FrameError if error.value)
    assert len(set(named.values())) == len(named)
