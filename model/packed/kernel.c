/* Layers in exact integers on packed bits.

   A word holds one bit each of up to 64 activations, or that many cells of a column: the ones of
   (activations & cells) are the count of a column. LANES columns are worked on at once, and windows
   beside each other. Maps are bytes (image, row, column, channel); planes are words (image, row,
   channel / 64, column, plane), with the zeros around the map. The compiler unrolls what depends on
   the constants that inlined functions are called with. */

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the lowest byte must come first"
#endif

#define INLINE static inline __attribute__((always_inline))

typedef int64_t i64;
typedef uint64_t u64;

#if defined(__AVX512VPOPCNTDQ__)
#include <immintrin.h>
enum { LANES = 8 };
typedef u64 V __attribute__((vector_size(64)));
INLINE V ones(V v) { return (V)_mm512_popcnt_epi64((__m512i)v); }
INLINE V least(V a, V b) { return (V)_mm512_min_epu64((__m512i)a, (__m512i)b); }
#elif defined(__AVX2__)
#include <immintrin.h>
enum { LANES = 4 };
typedef u64 V __attribute__((vector_size(32)));
INLINE V ones(V v) { /* from a table of half bytes: 1.5 times as fast as a word at a time */
  const __m256i table = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m256i half = _mm256_set1_epi8(15);
  __m256i low = _mm256_and_si256((__m256i)v, half);
  __m256i high = _mm256_and_si256(_mm256_srli_epi16((__m256i)v, 4), half);
  __m256i bytes = _mm256_add_epi8(
      _mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
  return (V)_mm256_sad_epu8(bytes, _mm256_setzero_si256());
}
INLINE V least(V a, V b) { return (V)_mm256_min_epu32((__m256i)a, (__m256i)b); } /* < 2^32 */
#else
enum { LANES = 1 };
typedef u64 V __attribute__((vector_size(8)));
INLINE V ones(V v) { return (V){(u64)__builtin_popcountll(v[0])}; }
INLINE V least(V a, V b) { return a[0] < b[0] ? a : b; }
#endif

typedef V Cells __attribute__((aligned(8)));

/* Rows of a window whose bits lie beside each other, in the planes and in the window's words. */
typedef struct {
  i64 offset; /* of the word that they are in, from the window's first one [word] */
  i64 word;   /* of the window that they go to */
  u64 turn;   /* rotation to the right that puts them into place */
  u64 mask;   /* their place */
} Piece;

enum { EXACT, SATURATING, ROUNDING }; /* counts; least(count, cap); any readout of any group */

typedef struct {
  i64 planes, in_height, in_width, in_channels, padding; /* the map, without its zeros */
  i64 out_height, out_width, stride, outputs;
  i64 groups, words; /* that are counted together, and words of one */
  i64 pieces;
  const Piece *piece;
  const Cells *cells; /* (outputs / LANES, groups, words, polarity) */
  i64 mode, cap, shift;
} Layer;

i64 lanes(void) { return LANES; }

/* Planes of maps. */
void pack(const Layer *l, i64 images, const uint8_t *map, u64 *planes) {
  i64 P = l->planes, chunks = (l->in_channels + 63) / 64;
  i64 width = l->in_width + 2 * l->padding, height = l->in_height + 2 * l->padding;
  i64 size = height * chunks * width * P;
  memset(planes, 0, images * size * sizeof *planes);
  for (i64 n = 0; n < images; n++, planes += size)
    for (i64 y = l->padding; y < l->padding + l->in_height; y++)
      for (i64 x = l->padding; x < l->padding + l->in_width; x++, map += l->in_channels)
        for (i64 c = 0; c < l->in_channels; c += 8) {
          i64 many = l->in_channels - c < 8 ? l->in_channels - c : 8;
          u64 bytes = 0, *to = planes + ((y * chunks + c / 64) * width + x) * P;
          memcpy(&bytes, map + c, many);
          for (i64 p = 0; p < P; p++) /* bit p of byte n becomes bit n of a byte */
            to[p] |= ((bytes >> p & 0x0101010101010101) * 0x0102040810204080 >> 56) << c % 64;
        }
}

/* Words (word, window, plane) of T windows, the next one step words further. */
INLINE void gather(const Layer *l, const u64 *from, u64 *x, const i64 T, const i64 P,
                   const i64 step) {
  memset(x, 0, l->groups * l->words * T * P * sizeof *x);
  for (const Piece *piece = l->piece; piece < l->piece + l->pieces; piece++) {
    const u64 *s = from + piece->offset;
    u64 *d = x + piece->word * T * P, turn = piece->turn, mask = piece->mask;
    for (i64 t = 0; t < T; t++)
      for (i64 p = 0; p < P; p++)
        d[t * P + p] |= (s[t * step + p] >> turn | s[t * step + p] << (-turn & 63)) & mask;
  }
}

/* Sums of LANES columns, of which many exist, in T windows. */
INLINE void columns(const Layer *l, const u64 *x, const Cells *cells, int32_t *acc, i64 many,
                    const i64 T, const i64 P, const int mode) {
  const i64 words = mode == ROUNDING ? l->words : 1;
  const V zero = {0}, cap = zero + (u64)l->cap, half = zero + ((u64)1 << l->shift >> 1);
  V codes[16]; /* (window, plane) */
#pragma GCC unroll 16
  for (i64 n = 0; n < T * P; n++) codes[n] = zero;
  for (i64 g = 0; g < l->groups; g++, x += words * T * P, cells += words * 2)
#pragma GCC unroll 16
    for (i64 n = 0; n < T * P; n++) {
      V up = zero, down = zero;
      for (i64 w = 0; w < words; w++) {
        V bits = zero + x[w * T * P + n];
        up += ones(bits & cells[2 * w]);
        down += ones(bits & cells[2 * w + 1]);
      }
      if (mode == ROUNDING) up = (up + half) >> l->shift, down = (down + half) >> l->shift;
      if (mode != EXACT) up = least(up, cap), down = least(down, cap);
      codes[n] += up - down;
    }
#pragma GCC unroll 8
  for (i64 t = 0; t < T; t++, acc += l->outputs) {
    V total = zero;
#pragma GCC unroll 8
    for (i64 p = 0; p < P; p++) total += codes[t * P + p] << p;
    if (mode == ROUNDING) total <<= l->shift;
    int32_t low[LANES];
    for (i64 n = 0; n < LANES; n++) low[n] = (int32_t)total[n];
    if (many == LANES) memcpy(acc, low, sizeof low);
    else memcpy(acc, low, many * sizeof *low);
  }
}

/* Sums of all columns in T windows. */
INLINE void tile(const Layer *l, const u64 *from, u64 *x, int32_t *acc, const i64 T, const i64 P) {
  if (l->stride == 1) gather(l, from, x, T, P, P);
  else gather(l, from, x, T, P, l->stride * P);
  const Cells *cells = l->cells;
  for (i64 c = 0; c < l->outputs; c += LANES, cells += l->groups * l->words * 2) {
    i64 many = l->outputs - c < LANES ? l->outputs - c : LANES;
    if (l->mode == EXACT) columns(l, x, cells, acc + c, many, T, P, EXACT);
    else if (l->mode == SATURATING) columns(l, x, cells, acc + c, many, T, P, SATURATING);
    else columns(l, x, cells, acc + c, many, T, P, ROUNDING);
  }
}

INLINE void maps(const Layer *l, i64 images, const u64 *planes, u64 *x, int32_t *acc, const i64 T,
                 const i64 P) {
  i64 row = (l->in_channels + 63) / 64 * (l->in_width + 2 * l->padding) * P;
  for (i64 n = 0; n < images; n++, planes += (l->in_height + 2 * l->padding) * row)
    for (i64 y = 0; y < l->out_height; y++) {
      const u64 *from = planes + y * l->stride * row;
      i64 left = l->out_width;
      for (; left >= T; left -= T, from += T * l->stride * P, acc += T * l->outputs)
        tile(l, from, x, acc, T, P);
      for (; left; left--, from += l->stride * P, acc += l->outputs) tile(l, from, x, acc, 1, P);
    }
}

/* Sums (image, row, column, output) of planes; x has room for 16 words for each of a window. */
void sums(const Layer *l, i64 images, const u64 *planes, u64 *x, int32_t *acc) {
  switch (l->planes) {
    case 1: maps(l, images, planes, x, acc, 8, 1); break;
    case 2: maps(l, images, planes, x, acc, 8, 2); break;
    case 3: maps(l, images, planes, x, acc, 4, 3); break;
    case 4: maps(l, images, planes, x, acc, 4, 4); break;
    case 5: maps(l, images, planes, x, acc, 3, 5); break;
    case 6: maps(l, images, planes, x, acc, 2, 6); break;
    case 7: maps(l, images, planes, x, acc, 2, 7); break;
    case 8: maps(l, images, planes, x, acc, 2, 8); break;
  }
}

typedef struct {
  i64 height, width, outputs, pool;
  i64 left, right, largest; /* shifts of what is added, and the largest code */
  const i64 *multiplier, *offset, *shift;
} Scaling;

enum { CHUNK = 64 };

/* Codes of sums: the largest of pool x pool, times M, plus B, >> S, plus what is added, clamped. */
void requantize(const Scaling *s, i64 images, const int32_t *acc, const uint8_t *added,
                uint8_t *codes) {
  i64 outputs = s->outputs, row = s->width * outputs;
  for (i64 n = 0; n < images; n++, acc += s->height * row)
    for (i64 y = 0; y + s->pool <= s->height; y += s->pool)
      for (i64 x = 0; x + s->pool <= s->width; x += s->pool)
        for (i64 c = 0; c < outputs; c += CHUNK) {
          i64 many = outputs - c < CHUNK ? outputs - c : CHUNK, code[CHUNK];
          const int32_t *from = acc + y * row + x * outputs + c;
          int32_t top[CHUNK];
          memcpy(top, from, many * sizeof *top);
          for (i64 dy = 0; dy < s->pool; dy++)
            for (i64 dx = 0; dx < s->pool; dx++) {
              const int32_t *other = from + dy * row + dx * outputs;
              for (i64 k = 0; k < many; k++) top[k] = top[k] < other[k] ? other[k] : top[k];
            }
          for (i64 k = 0; k < many; k++)
            code[k] = (top[k] * s->multiplier[c + k] + s->offset[c + k]) >> s->shift[c + k];
          if (added)
            for (i64 k = 0; k < many; k++) code[k] += (i64)*added++ << s->left >> s->right;
          for (i64 k = 0; k < many; k++) {
            i64 v = code[k] < 0 ? 0 : code[k];
            *codes++ = (uint8_t)(v > s->largest ? s->largest : v);
          }
        }
}
