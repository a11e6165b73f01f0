import pytest

from kakure.model.reference.floating_point.float_format import FORMATS, FloatFormat


def test_fields_of_single_precision():
    fmt = FORMATS["fp32"]
    assert (fmt.width, fmt.bias, fmt.one) == (32, 127, 0x3F800000)
    assert (fmt.infinity, fmt.nan, fmt.sign) == (0x7F800000, 0x7FC00000, 0x80000000)


def test_widths_of_formats_with_a_name():
    widths = {"fp32": 32, "bf16": 16, "fp16": 16, "fp8_e5m2": 8, "fp8_e4m3": 8, "fp8_e3m4": 8}
    assert {name: fmt.width for name, fmt in FORMATS.items()} == widths


@pytest.mark.parametrize(
    ("exponent_bits", "fraction_bits", "said"),
    [
        (1, 3, "exponent_bits must be 2 to 11, not 1"),
        (12, 3, "exponent_bits must be 2 to 11, not 12"),
        (4, 0, "fraction_bits must be 1 to 29, not 0"),
        (4, 30, "fraction_bits must be 1 to 29, not 30"),
    ],
)
def test_rejects(exponent_bits, fraction_bits, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        FloatFormat(exponent_bits, fraction_bits)


@pytest.mark.parametrize("code", [-1, 256])
def test_rejects_codes_that_are_too_long(code):
    with pytest.raises(ValueError, match=f"^codes must be 0 to 255, not {code}$"):
        FloatFormat(4, 3).codes([3, code])
