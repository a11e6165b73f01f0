"""Numbers to formats and back, beside numpy's and PyTorch's own."""

import numpy as np
import pytest
import torch

from kakure.model.reference.floating_point.conversion import decode, encode
from kakure.model.reference.floating_point.float_format import FORMATS, FloatFormat
from tests.floating_point import bits_of

EVERY = [f for f in FORMATS.values() if f.width <= 16] + [FloatFormat(2, 1), FloatFormat(3, 9)]


def doubles(many=200_000):
    """Of all magnitudes, and as many around those of narrow formats, ties among them."""
    rng = np.random.default_rng(1)
    wide = rng.integers(0, 1 << 64, many, np.uint64).view(np.float64)
    near = np.ldexp(rng.integers(-(1 << 13), 1 << 13, many) / 2.0, rng.integers(-40, 12, many))
    return np.concatenate([wide, near, [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324]])


@pytest.mark.parametrize("fmt", EVERY)
def test_every_number_comes_back(fmt):
    codes = np.arange(1 << fmt.width)
    back = encode(fmt, decode(fmt, codes))
    assert (back == np.where(fmt.magnitude(codes) > fmt.infinity, fmt.nan, codes)).all()


@pytest.mark.parametrize(("name", "kind"), [("fp32", np.float32), ("fp16", np.float16)])
def test_rounds_as_numpy_does(name, kind):
    x = doubles()
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        expected = bits_of(FORMATS[name], x.astype(kind))
    assert (encode(FORMATS[name], x) == expected).all()


@pytest.mark.parametrize("name", ["bf16", "fp8_e5m2"])
def test_rounds_as_pytorch_does(name):
    """From single precision, so that PyTorch rounds once."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        x = torch.from_numpy(doubles().astype(np.float32))
    if name == "bf16":
        codes = x.bfloat16().view(torch.int16).numpy().astype(np.int64) & 0xFFFF
    else:
        codes = x.to(torch.float8_e5m2).view(torch.uint8).numpy().astype(np.int64)
    expected = np.where(x.isnan().numpy(), FORMATS[name].nan, codes)
    assert (encode(FORMATS[name], x.double().numpy()) == expected).all()


def test_decodes_as_numpy_does():
    codes = np.arange(1 << 16)
    x = codes.astype(np.uint16).view(np.float16).astype(np.float64)
    assert np.array_equal(decode(FORMATS["fp16"], codes), x, equal_nan=True)
    assert (np.signbit(decode(FORMATS["fp16"], codes)) == np.signbit(x))[~np.isnan(x)].all()


def test_without_subnormals_small_numbers_are_zeros():
    """The least normal number of E4M3 is 2^−6; rounding up to it begins at (1 − 2^−5) of it."""
    least = 2.0**-6
    fmt = FORMATS["fp8_e4m3"]
    x = np.array([1, 1 - 2.0**-5, 1 - 2.0**-5 - 2.0**-20, 0.5]) * least
    assert encode(fmt, x, has_subnormals=False).tolist() == [8, 8, 0, 0]
    assert encode(fmt, -x, has_subnormals=False).tolist() == [136, 136, 128, 128]
    assert encode(fmt, x).tolist() == [8, 8, 8, 4]
