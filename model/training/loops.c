/* What follows the sums of a layer in training: BatchNorm, shortcut and quantization in one pass
   forward and two backward, over bfloat16 rows of channels.

   y = a * scale + shift + added * step,  code = clamp(floor(y + 1/2), 0, peak)

   Rows [first, last) of n x channels; several threads take several ranges. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bfloat16;

static inline float wide(bfloat16 x) {
  uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline bfloat16 narrow(float x) { /* to the nearest, ties to even; x is finite */
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return (bfloat16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

#define ROWS 256 /* whose sums are kept in float32 before they go to float64 */

/* Sum of the values and of their squares, per channel, added to total and squares. */
void moments(const bfloat16 *restrict a, ptrdiff_t first, ptrdiff_t last, int channels,
             float *restrict part, double *restrict total, double *restrict squares) {
  for (ptrdiff_t start = first; start < last; start += ROWS) {
    ptrdiff_t end = start + ROWS < last ? start + ROWS : last;
    memset(part, 0, sizeof(float) * 2 * channels);
    for (ptrdiff_t row = start; row < end; row++) {
      const bfloat16 *restrict in = a + row * channels;
      for (int c = 0; c < channels; c++) {
        float value = wide(in[c]);
        part[c] += value;
        part[channels + c] += value * value;
      }
    }
    for (int c = 0; c < channels; c++) total[c] += part[c], squares[c] += part[channels + c];
  }
}

void forward(const bfloat16 *restrict a, const bfloat16 *restrict added, ptrdiff_t first,
             ptrdiff_t last, int channels, const float *restrict scale,
             const float *restrict shift, float step, float peak, bfloat16 *restrict out) {
  for (ptrdiff_t row = first; row < last; row++) {
    const bfloat16 *restrict in = a + row * channels;
    bfloat16 *restrict to = out + row * channels;
    if (added) {
      const bfloat16 *restrict more = added + row * channels;
      for (int c = 0; c < channels; c++) {
        float y = floorf(wide(in[c]) * scale[c] + shift[c] + 0.5f);
        y += floorf(wide(more[c]) * step);
        y = y < 0 ? 0 : y;
        to[c] = narrow(y > peak ? peak : y);
      }
    } else {
      for (int c = 0; c < channels; c++) {
        float y = floorf(wide(in[c]) * scale[c] + shift[c] + 0.5f);
        y = y < 0 ? 0 : y;
        to[c] = narrow(y > peak ? peak : y);
      }
    }
  }
}

/* The gradient that passes the quantization: where 0 < y < peak. */
static inline float passed(float a, float more, float up, float scale, float shift, float peak) {
  float y = a * scale + shift + more;
  return y > 0 && y < peak ? up : 0.0f;
}

/* Sum of the gradient that passes, and of it times a, per channel, added to total and products. */
void backward_moments(const bfloat16 *restrict a, const bfloat16 *restrict added,
                      const bfloat16 *restrict up, ptrdiff_t first, ptrdiff_t last, int channels,
                      const float *restrict scale, const float *restrict shift, float step,
                      float peak, float *restrict part, double *restrict total,
                      double *restrict products) {
  for (ptrdiff_t start = first; start < last; start += ROWS) {
    ptrdiff_t end = start + ROWS < last ? start + ROWS : last;
    memset(part, 0, sizeof(float) * 2 * channels);
    for (ptrdiff_t row = start; row < end; row++) {
      const bfloat16 *restrict in = a + row * channels;
      const bfloat16 *restrict g = up + row * channels;
      if (added) {
        const bfloat16 *restrict more = added + row * channels;
        for (int c = 0; c < channels; c++) {
          float value = wide(in[c]);
          float d = passed(value, wide(more[c]) * step, wide(g[c]), scale[c], shift[c], peak);
          part[c] += d;
          part[channels + c] += d * value;
        }
      } else {
        for (int c = 0; c < channels; c++) {
          float value = wide(in[c]);
          float d = passed(value, 0.0f, wide(g[c]), scale[c], shift[c], peak);
          part[c] += d;
          part[channels + c] += d * value;
        }
      }
    }
    for (int c = 0; c < channels; c++) total[c] += part[c], products[c] += part[channels + c];
  }
}

/* Gradient of a: d * by_gradient + a * by_value + constant; and of added: d * step. */
void backward(const bfloat16 *restrict a, const bfloat16 *restrict added,
              const bfloat16 *restrict up, ptrdiff_t first, ptrdiff_t last, int channels,
              const float *restrict scale, const float *restrict shift, float step, float peak,
              const float *restrict by_gradient, const float *restrict by_value,
              const float *restrict constant, bfloat16 *restrict out,
              bfloat16 *restrict out_added) {
  for (ptrdiff_t row = first; row < last; row++) {
    const bfloat16 *restrict in = a + row * channels;
    const bfloat16 *restrict g = up + row * channels;
    bfloat16 *restrict to = out + row * channels;
    if (added) {
      const bfloat16 *restrict more = added + row * channels;
      bfloat16 *restrict to_added = out_added + row * channels;
      for (int c = 0; c < channels; c++) {
        float value = wide(in[c]);
        float d = passed(value, wide(more[c]) * step, wide(g[c]), scale[c], shift[c], peak);
        to[c] = narrow(d * by_gradient[c] + value * by_value[c] + constant[c]);
        to_added[c] = narrow(d * step);
      }
    } else {
      for (int c = 0; c < channels; c++) {
        float value = wide(in[c]);
        float d = passed(value, 0.0f, wide(g[c]), scale[c], shift[c], peak);
        to[c] = narrow(d * by_gradient[c] + value * by_value[c] + constant[c]);
      }
    }
  }
}

static inline int16_t order(bfloat16 x) { /* as integers, in the order of the values */
  return (int16_t)(x ^ (((int16_t)x >> 15) & 0x7fff));
}

/* Maximum over size x size blocks of maps (height, width, channels), and which value of the block
   it is, the first of equals; rows [first, last) of images * (height / size) rows of blocks. */
void pool(const bfloat16 *restrict a, ptrdiff_t first, ptrdiff_t last, int height, int width,
          int channels, int size, bfloat16 *restrict out, uint16_t *restrict which) {
  int down = height / size, across = width / size;
  for (ptrdiff_t row = first; row < last; row++) {
    const bfloat16 *restrict in =
        a + ((row / down) * height + (row % down) * size) * (ptrdiff_t)width * channels;
    for (int x = 0; x < across; x++) {
      bfloat16 *restrict to = out + (row * across + x) * channels;
      uint16_t *restrict index = which + (row * across + x) * channels;
      for (int c = 0; c < channels; c++) to[c] = in[x * size * channels + c], index[c] = 0;
      for (int n = 1; n < size * size; n++) {
        const bfloat16 *restrict other =
            in + ((ptrdiff_t)(n / size) * width + x * size + n % size) * channels;
        for (int c = 0; c < channels; c++) {
          uint16_t is_larger = order(other[c]) > order(to[c]) ? 0xffff : 0;
          to[c] = (bfloat16)((other[c] & is_larger) | (to[c] & ~is_larger));
          index[c] = (uint16_t)((n & is_larger) | (index[c] & ~is_larger));
        }
      }
    }
  }
}

/* The gradient of each maximum goes to where it was; the rest of out, which is 0, stays. */
void pool_backward(const bfloat16 *restrict up, const uint16_t *restrict which, ptrdiff_t first,
                   ptrdiff_t last, int height, int width, int channels, int size,
                   bfloat16 *restrict out) {
  int down = height / size, across = width / size;
  for (ptrdiff_t row = first; row < last; row++) {
    bfloat16 *restrict to =
        out + ((row / down) * height + (row % down) * size) * (ptrdiff_t)width * channels;
    for (int x = 0; x < across; x++) {
      const bfloat16 *restrict g = up + (row * across + x) * channels;
      const uint16_t *restrict index = which + (row * across + x) * channels;
      for (int n = 0; n < size * size; n++) {
        bfloat16 *restrict place =
            to + ((ptrdiff_t)(n / size) * width + x * size + n % size) * channels;
        for (int c = 0; c < channels; c++) place[c] = index[c] == n ? g[c] : 0;
      }
    }
  }
}

/* Windows of maps (height, width, channels), each as a row (ky, kx, channel), zeros outside; rows
   [first, last) of images * out_height rows of windows. */
void columns(const bfloat16 *restrict a, ptrdiff_t first, ptrdiff_t last, int height, int width,
             int channels, int out_height, int out_width, int kernel_height, int kernel_width,
             int padding, int stride, bfloat16 *restrict out) {
  size_t line = (size_t)kernel_width * channels;
  for (ptrdiff_t row = first; row < last; row++) {
    const bfloat16 *restrict image = a + (row / out_height) * height * (ptrdiff_t)width * channels;
    int y = (int)(row % out_height) * stride - padding;
    for (int ox = 0; ox < out_width; ox++) {
      int x = ox * stride - padding;
      int left = x < 0 ? -x : 0, right = x + kernel_width > width ? x + kernel_width - width : 0;
      bfloat16 *restrict to = out + (row * out_width + ox) * kernel_height * line;
      for (int ky = 0; ky < kernel_height; ky++, to += line) {
        if (y + ky < 0 || y + ky >= height) {
          memset(to, 0, sizeof(bfloat16) * line);
          continue;
        }
        const bfloat16 *restrict from =
            image + ((ptrdiff_t)(y + ky) * width + x + left) * channels;
        size_t inside = (size_t)(kernel_width - left - right) * channels;
        memset(to, 0, sizeof(bfloat16) * left * channels);
        memcpy(to + left * channels, from, sizeof(bfloat16) * inside);
        memset(to + left * channels + inside, 0, sizeof(bfloat16) * right * channels);
      }
    }
  }
}
