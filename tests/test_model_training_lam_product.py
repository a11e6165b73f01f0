"""The kernel's matrix products are the reference's, bit for bit."""

import numpy as np
import pytest
import torch

from kakure.model.reference.floating_point.conversion import decode, encode
from kakure.model.reference.floating_point.float_format import FORMATS
from kakure.model.reference.floating_point.lam import lam_multiply
from kakure.model.training import loops
from kakure.model.training.lam.lam import VARIANTS, Lam
from kakure.model.training.lam.product import lam_product
from tests.floating_point import special_codes

FP32 = FORMATS["fp32"]
EVERY = [Lam.named(variant, n) for variant in VARIANTS for n in (23, 7, 4, 3)]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NaN and infinities of numpy's


def rounded(x, lam):
    flushed = FP32.flushed(encode(FP32, x.double().numpy()))
    return encode(lam.fmt, decode(FP32, flushed))


def products(a, b, lam):
    """Every product, (m, k), (k, n) -> (m, k, n), float32."""
    left, right = rounded(a, lam)[:, :, None], rounded(b, lam)[None, :, :]
    kind = {"compensation": lam.compensation, "table_bits": lam.table_bits}
    return decode(lam.fmt, lam_multiply(lam.fmt, left, right, **kind)).astype(np.float32)


def expected(a, b, lam):
    total = np.zeros((len(a), b.shape[1]), np.float32)
    for part in products(a, b, lam).swapaxes(0, 1):
        total = total + part
    return total


def same(found, wanted):
    found = found.numpy()
    is_nan = np.isnan(wanted)
    assert (np.isnan(found) == is_nan).all()
    bits = np.ascontiguousarray(found).view(np.uint32), wanted.view(np.uint32)
    return bool((bits[0] == bits[1])[~is_nan].all())


def normal(rows, columns, seed):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def of_codes(codes, shape):
    return torch.from_numpy(codes.astype(np.uint32).view(np.float32).reshape(shape).copy())


@pytest.mark.parametrize("lam", EVERY)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (5, 131, 65), (4, 3, 128)])
def test_sums_of_ordinary_numbers(lam, shape):
    m, k, n = shape
    a, b = normal(m, k, 1), normal(k, n, 2)
    assert same(lam_product(a, b, lam), expected(a, b, lam))
    a[normal(m, k, 3) > 0] = 0  # as behind a ReLU
    b[:, ::2] *= -1.0 * (normal(k, n, 4)[:, ::2] > 0)
    assert same(lam_product(a, b, lam), expected(a, b, lam))


@pytest.mark.parametrize("lam", EVERY)
def test_every_product_of_special_numbers(lam):
    """One product in each sum: nothing but it decides what comes."""
    some = special_codes(FP32)
    a, b = of_codes(some, (-1, 1)), of_codes(some, (1, -1))
    assert same(lam_product(a, b, lam), expected(a, b, lam))


@pytest.mark.parametrize("lam", EVERY)
def test_every_product_of_any_numbers(lam):
    """A row of b of all magnitudes, rows of b near the limits, and rows of like magnitude."""
    rng = np.random.default_rng(1)
    a = of_codes(rng.integers(0, 1 << 32, 400), (400, 1))
    b = of_codes(rng.integers(0, 1 << 32, 200), (1, 200))
    assert same(lam_product(a, b, lam), expected(a, b, lam))
    for exponent in (-126, -64, 0, 63, 126):
        near = normal(1, 64, 5).sign() * (1 + normal(1, 64, 6).frac().abs()) * 2.0**exponent
        assert same(lam_product(a, near, lam), expected(a, near, lam))


@pytest.mark.parametrize("fraction_bits", [22, 7, 4, 1])
def test_halves_are_rounded_to_even(fraction_bits):
    lam = Lam(fraction_bits)
    many = min(1 << (fraction_bits + 1), 512)
    a = 1 + torch.arange(many)[:, None] / (2 << fraction_bits)
    a = torch.cat([a, a * 2.0**-126 * (1 - 2.0**-23), -a])  # and around the least normal number
    one = torch.ones(1, 1)
    assert same(lam_product(a, one, lam), expected(a, one, lam))
    assert lam_product(1 + one / (2 << fraction_bits), one, lam).item() == 1


def test_infinities_among_others_reach_the_sums():
    a, b = normal(3, 40, 1), normal(40, 70, 2)
    a[0, 3], b[7, 1], b[9, 2], a[1, 9] = torch.inf, -torch.inf, torch.nan, 0
    b[3, 5] = 0
    for lam in EVERY:
        assert same(lam_product(a, b, lam), expected(a, b, lam))


def test_many_threads_and_views(monkeypatch):
    monkeypatch.setattr(loops, "LEAST", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    a, b = normal(40, 10, 1), normal(90, 40, 2)
    lam = Lam.named("constant", 7)
    assert same(lam_product(a.T, b.T, lam), expected(a.T, b.T, lam))


def test_empty_sums_are_zeros():
    assert lam_product(torch.ones(2, 0), torch.ones(0, 3), Lam()).tolist() == [[0.0] * 3] * 2


def test_named_variants():
    assert Lam.named("constant", 7) == Lam(7, compensation=7)
    assert Lam.named("table3", 4) == Lam(4, table_bits=3)
    assert Lam.named("plain") == Lam(23)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Lam(0), "fraction_bits must be 1 to 23, not 0"),
        (lambda: Lam(24), "fraction_bits must be 1 to 23, not 24"),
        (lambda: Lam(7, compensation=128), "compensation must be 0 to 127, not 128"),
        (lambda: Lam(2, table_bits=3), "table_bits must be 0 to 2, not 3"),
        (lambda: Lam.named("log"), "variant must be one of plain, .*, not 'log'"),
        (
            lambda: lam_product(torch.ones(2, 3), torch.ones(2, 3), Lam()),
            "b must have 3 rows, as a has columns, not 2",
        ),
        (
            lambda: lam_product(torch.ones(2, 3).double(), torch.ones(3, 2), Lam()),
            "a must be a float32 matrix on the CPU, not 2-dimensional torch.float64 on cpu",
        ),
        (
            lambda: lam_product(torch.ones(2, 3), torch.ones(3), Lam()),
            "b must be a float32 matrix on the CPU, not 1-dimensional torch.float32 on cpu",
        ),
    ],
)
def test_rejects(make, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        make()
