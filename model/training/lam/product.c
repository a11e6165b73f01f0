/* Matrix product whose every single product is LAM's, in float32:

   out[i][j] = (...((+0 + a[i][0] * b[0][j]) + a[i][1] * b[1][j]) + ...), k ascending,

   each sum rounded to the nearest, with subnormal numbers. Factors are numbers with n fraction bits,
   the lowest 23 - n are 0. model/reference/floating_point/lam.py says what the products are. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIGN 0x80000000u
#define MAGNITUDE 0x7fffffffu
#define HIDDEN 0x00800000u
#define FRACTION 0x007fffffu
#define INFINITE 0x7f800000u
#define ONE 0x3f800000u
#define NAN_CODE 0x7fc00000u
#define COLUMNS 64 /* of the output that are summed at once, in registers */
#define DEPTH 128  /* rows of b that serve all rows of a, as that many stay in the nearest cache */

/* Codes rounded to n fraction bits, ties to even; a subnormal number becomes a zero, a NaN that of
   the format. */
void round_codes(const uint32_t *restrict from, uint32_t *restrict to, ptrdiff_t many, int n) {
  uint32_t cut = 23 - n, half = 1u << cut >> 1;
  for (ptrdiff_t k = 0; k < many; k++) {
    uint32_t code = from[k] & MAGNITUDE, odd = code >> cut & 1;
    uint32_t near = (code + (half ? half - 1 + odd : 0)) >> cut << cut;
    near = code < HIDDEN ? 0 : near;
    to[k] = code > INFINITE ? NAN_CODE : (from[k] & SIGN) | near;
  }
}

/* What goes with b: with a table of t bits, 2 * cell + 1, or 0 where the fraction is 0; without one
   the code, c added where the fraction is not 0. */
void companions(const uint32_t *restrict b, uint32_t *restrict to, ptrdiff_t many, uint32_t c,
                int table_bits) {
  for (ptrdiff_t k = 0; k < many; k++) {
    uint32_t fraction = b[k] & FRACTION, cell = 2 * (fraction >> (23 - table_bits)) + 1;
    to[k] = table_bits ? (fraction ? cell : 0) : b[k] + (fraction ? c : 0);
  }
}

typedef struct {
  uint32_t least, most, has_zero; /* magnitudes of what is not 0; whether anything is */
} Range;

void ranges(const uint32_t *restrict b, ptrdiff_t rows, ptrdiff_t columns, Range *restrict found) {
  for (ptrdiff_t k = 0; k < rows; k++) {
    uint32_t least = INFINITE, most = HIDDEN, zeros = 0;
    for (ptrdiff_t j = 0; j < columns; j++) {
      uint32_t size = b[k * columns + j] & MAGNITUDE, above = size ? size : INFINITE;
      most = size > most ? size : most;
      least = above < least ? above : least;
      zeros |= !size;
    }
    found[k] = (Range){least, most, zeros};
  }
}

/* What the correction adds to the code of the plain product of 1 + f and 1 + g. Left and right are
   2 * cell + 1 or 0; left is shifted so that the last bits of their product have their place. */
static inline uint32_t corrected(uint32_t f, uint32_t g, uint32_t left, uint32_t right, int n) {
  uint32_t mask = -1u << (23 - n), half = 1u << (23 - n) >> 1;
  uint32_t s = f + g + ((left * right + half) & mask);
  uint32_t halved = HIDDEN + ((s - HIDDEN) >> 1 & mask);
  return (s >= HIDDEN ? halved : s) - (f + g);
}

/* Any product; total is the sum of the magnitudes less that of one, with what is added. Where it is
   below 0 it is large as an unsigned number: above all that sums of two numbers reach. */
static inline uint32_t any_product(uint32_t total, uint32_t a, uint32_t b) {
  uint32_t x = a & MAGNITUDE, y = b & MAGNITUDE, sign = (a ^ b) & SIGN;
  uint32_t big = x > y ? x : y, small = x > y ? y : x;
  uint32_t above = total - HIDDEN, limit = INFINITE - HIDDEN;
  uint32_t size = (above < limit ? above : limit) + HIDDEN;
  size = above < 0xc0000000u && small ? size : 0;
  size = big == INFINITE ? INFINITE : size;
  return big > INFINITE || (big == INFINITE && !small) ? NAN_CODE : sign | size;
}

static inline float number(uint32_t code) {
  float value;
  memcpy(&value, &code, 4);
  return value;
}

typedef struct {
  ptrdiff_t first, last;    /* rows of a and of the output */
  ptrdiff_t inner, columns; /* columns are a multiple of COLUMNS */
  int table_bits, n;        /* 0 for no table; bits of a fraction */
} Shape;

/* Adds to the output. Where no product of a row of b with a number can leave the range, its code is one sum, also of
   the signs: the carry out of the last bit is lost. */
static inline __attribute__((always_inline)) void rows(
    const uint32_t *restrict a, const uint32_t *restrict b, const uint32_t *restrict companion,
    const Range *restrict range, float *restrict out, Shape shape, int has_table) {
  int t = shape.table_bits, n = shape.n;
  ptrdiff_t tiles = (shape.inner + DEPTH - 1) / DEPTH;
  for (ptrdiff_t tile = 0; tile < shape.columns / COLUMNS * tiles; tile++) {
    ptrdiff_t start = tile / tiles * COLUMNS, top = tile % tiles * DEPTH;
    ptrdiff_t end = top + DEPTH < shape.inner ? top + DEPTH : shape.inner;
    for (ptrdiff_t i = shape.first; i < shape.last; i++) {
      float sums[COLUMNS];
      memcpy(sums, out + i * shape.columns + start, sizeof sums);
      for (ptrdiff_t k = top; k < end; k++) {
        uint32_t x = a[i * shape.inner + k], size = x & MAGNITUDE, f = x & FRACTION;
        const uint32_t *restrict y = b + k * shape.columns + start;
        const uint32_t *restrict with = companion + k * shape.columns + start;
        const uint32_t *restrict z = has_table || !f ? y : with; /* compensated */
        uint32_t left = f ? (2 * (f >> (23 - t)) + 1) << (23 - 2 * t - 2) : 0, less = x - ONE;
        int64_t scale = (int64_t)size - ONE;
        int is_safe = scale + range[k].least >= HIDDEN &&
                      scale + range[k].most + HIDDEN < INFINITE && range[k].most < INFINITE;
        if (!size && range[k].most < INFINITE) continue; /* a sum is never -0: +-0 changes none */
        if (size && size < INFINITE && is_safe && !range[k].has_zero)
          for (int j = 0; j < COLUMNS; j++) {
            uint32_t more = has_table ? corrected(f, y[j] & FRACTION, left, with[j], n) : 0;
            sums[j] += number(z[j] + less + more);
          }
        else if (size && size < INFINITE && is_safe)
          for (int j = 0; j < COLUMNS; j++) {
            uint32_t more = has_table ? corrected(f, y[j] & FRACTION, left, with[j], n) : 0;
            sums[j] += number(y[j] & MAGNITUDE ? z[j] + less + more : 0);
          }
        else
          for (int j = 0; j < COLUMNS; j++) {
            uint32_t more = has_table ? corrected(f, y[j] & FRACTION, left, with[j], n) : 0;
            sums[j] += number(any_product(size - ONE + (z[j] & MAGNITUDE) + more, x, y[j]));
          }
      }
      memcpy(out + i * shape.columns + start, sums, sizeof sums);
    }
  }
}

void product(const uint32_t *restrict a, const uint32_t *restrict b,
             const uint32_t *restrict companion, const Range *restrict range, float *restrict out,
             Shape shape) {
  if (shape.table_bits)
    rows(a, b, companion, range, out, shape, 1);
  else
    rows(a, b, companion, range, out, shape, 0);
}
