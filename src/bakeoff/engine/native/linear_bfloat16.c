/* The three products of a large linear layer with a small batch, on the matrix units.
 *
 * Such a layer waits for memory: its weights, and Adam's two moments of each, are far larger than the
 * images and all that is computed from them. So each pass reads the float32 weights once and rounds
 * them to bfloat16 next to the matrix units, and the gradient never leaves the cache: Adam takes its
 * step as soon as a few rows of it are known.
 */
#ifdef __AMX_BF16__ /* Elsewhere the functions are missing, and PyTorch serves. */

#define _GNU_SOURCE /* for syscall */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adam.h"
#include "scratch.h"
#include "tiles.h"

enum { CHUNK = 1024 };

/* Ask the system for the matrix units, for the whole process; return 0 where it has them. */
int matrix_units(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18 };
    return (int)syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA);
}

/* Round two rows of n numbers to the pairs of their columns; write a multiple of 16 pairs. */
static void round_pairs(int64_t n, const float *even, const float *odd, uint32_t *pairs)
{
    const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, //
                                         23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (int64_t i = 0; i < n; i += 16) {
        const __mmask16 mask = first(n - i);
        const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(mask, odd + i),
                                                  _mm512_maskz_loadu_ps(mask, even + i));
        _mm512_store_si512(pairs + i, _mm512_permutexvar_epi16(zip, (__m512i)both));
    }
}

/* ---- products of tiles ---------------------------------------------------------------------------- */

/* sums[16][columns] = A B. A: 16 rows of `depth` numbers. B: depth / 2 rows of pairs. depth is a
 * multiple of 32, columns of 16; strides count elements. */
static void multiply(int64_t depth, int64_t columns, const bfloat16 *a, int64_t a_stride, const uint32_t *b,
                     int64_t b_stride, float *sums, int64_t sums_stride)
{
    int64_t j = 0;
    for (; j + 4 * SIDE <= columns; j += 4 * SIDE) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int64_t k = 0; k < depth; k += DEPTH) {
            const uint32_t *pairs = b + k / 2 * b_stride + j;
            _tile_loadd(4, a + k, a_stride * 2);
            _tile_loadd(5, pairs, b_stride * 4);
            _tile_dpbf16ps(0, 4, 5);
            _tile_loadd(6, pairs + SIDE, b_stride * 4);
            _tile_dpbf16ps(1, 4, 6);
            _tile_loadd(7, pairs + 2 * SIDE, b_stride * 4);
            _tile_dpbf16ps(2, 4, 7);
            _tile_loadd(5, pairs + 3 * SIDE, b_stride * 4);
            _tile_dpbf16ps(3, 4, 5);
        }
        _tile_stored(0, sums + j, sums_stride * 4);
        _tile_stored(1, sums + j + SIDE, sums_stride * 4);
        _tile_stored(2, sums + j + 2 * SIDE, sums_stride * 4);
        _tile_stored(3, sums + j + 3 * SIDE, sums_stride * 4);
    }
    for (; j < columns; j += SIDE) {
        _tile_zero(0);
        for (int64_t k = 0; k < depth; k += DEPTH) {
            _tile_loadd(4, a + k, a_stride * 2);
            _tile_loadd(5, b + k / 2 * b_stride + j, b_stride * 4);
            _tile_dpbf16ps(0, 4, 5);
        }
        _tile_stored(0, sums + j, sums_stride * 4);
    }
}

/* sums[rows][columns] += A B with a depth of 64; rows and columns are multiples of 16. */
static void multiply_on(int64_t rows, int64_t columns, const bfloat16 *a, int64_t a_stride, const uint32_t *b,
                        int64_t b_stride, float *sums, int64_t sums_stride)
{
    for (int64_t j = 0; j < columns; j += SIDE) {
        _tile_loadd(6, b + j, b_stride * 4);
        _tile_loadd(7, b + DEPTH / 2 * b_stride + j, b_stride * 4);
        int64_t i = 0;
        for (; i + 2 * SIDE <= rows; i += 2 * SIDE) {
            float *upper = sums + i * sums_stride + j, *lower = upper + SIDE * sums_stride;
            const bfloat16 *above = a + i * a_stride, *below = above + SIDE * a_stride;
            _tile_loadd(0, upper, sums_stride * 4);
            _tile_loadd(1, lower, sums_stride * 4);
            _tile_loadd(2, above, a_stride * 2);
            _tile_dpbf16ps(0, 2, 6);
            _tile_loadd(3, below, a_stride * 2);
            _tile_dpbf16ps(1, 3, 6);
            _tile_loadd(4, above + DEPTH, a_stride * 2);
            _tile_dpbf16ps(0, 4, 7);
            _tile_loadd(5, below + DEPTH, a_stride * 2);
            _tile_dpbf16ps(1, 5, 7);
            _tile_stored(0, upper, sums_stride * 4);
            _tile_stored(1, lower, sums_stride * 4);
        }
        for (; i < rows; i += SIDE) {
            _tile_loadd(0, sums + i * sums_stride + j, sums_stride * 4);
            _tile_loadd(2, a + i * a_stride, a_stride * 2);
            _tile_dpbf16ps(0, 2, 6);
            _tile_loadd(4, a + i * a_stride + DEPTH, a_stride * 2);
            _tile_dpbf16ps(0, 4, 7);
            _tile_stored(0, sums + i * sums_stride + j, sums_stride * 4);
        }
    }
}

/* ---- the layer ------------------------------------------------------------------------------------ */

/* output[batch][out] = rows[batch][in] weight[out][in]^T + bias[out]; `in` is even. */
void linear_forward_bfloat16(int64_t batch, int64_t in, int64_t out, const bfloat16 *rows,
                             const float *weight, const float *bias, float *output)
{
    /* The product is made transposed: then the weights are A as they lie, and the few rows B. */
    const int64_t depth = round_up(in, DEPTH), images = round_up(batch, SIDE);
    uint32_t *pairs = scratch(0, depth / 2 * images * 4);
#pragma omp parallel
    {
        bfloat16 *strip = scratch(1, SIDE * depth * 2);
        float *sums = scratch(2, SIDE * images * 4);
        memset(strip, 0, SIDE * depth * 2);
        full_tiles();
#pragma omp for
        for (int64_t pair = 0; pair < depth / 2; pair++)
            for (int64_t b = 0; b < images; b++)
                if (b < batch && 2 * pair < in)
                    memcpy(pairs + pair * images + b, rows + b * in + 2 * pair, 4);
                else
                    pairs[pair * images + b] = 0;
#pragma omp for
        for (int64_t unit = 0; unit < out; unit += SIDE) {
            const int64_t units = least(SIDE, out - unit);
            for (int64_t u = 0; u < units; u++)
                round_row(in, weight + (unit + u) * in, strip + u * depth);
            multiply(depth, images, strip, depth, pairs, images, sums, images);
            for (int64_t b = 0; b < batch; b++)
                for (int64_t u = 0; u < units; u++)
                    output[b * out + unit + u] = sums[u * images + b] + bias[unit + u];
        }
        _tile_release();
    }
}

/* gradient[batch][in] = upstream[batch][out] weight[out][in], rounded to bfloat16. */
void linear_backward_bfloat16(int64_t batch, int64_t in, int64_t out, const float *upstream,
                              const float *weight, bfloat16 *gradient)
{
    enum { PASS = 2 * DEPTH }; /* rows of the weights that are added up at a time */
    const int64_t depth = round_up(out, PASS), images = round_up(batch, SIDE);
    bfloat16 *a = scratch(0, images * depth * 2);
    memset(a, 0, images * depth * 2);
    for (int64_t b = 0; b < batch; b++)
        round_row(out, upstream + b * out, a + b * depth);
    const int64_t pieces = round_up(in, 2 * CHUNK * 2) / (2 * CHUNK * 2) * 2;
    const int64_t width = round_up((in + pieces - 1) / pieces, SIDE);
#pragma omp parallel for
    for (int64_t start = 0; start < in; start += width) {
        const int64_t columns = least(width, in - start), wide = round_up(columns, SIDE);
        uint32_t *pairs = scratch(1, PASS / 2 * wide * 4);
        float *sums = scratch(2, images * wide * 4);
        memset(sums, 0, images * wide * 4);
        full_tiles();
        for (int64_t unit = 0; unit < out; unit += PASS) {
            for (int64_t u = 0; u < PASS; u += 2) {
                const float *even = weight + (unit + u) * in + start;
                uint32_t *row = pairs + u / 2 * wide;
                if (unit + u + 1 < out)
                    round_pairs(columns, even, even + in, row);
                else if (unit + u < out) /* The other number of a pair meets a zero of A. */
                    round_pairs(columns, even, even, row);
                else
                    memset(row, 0, wide * 4);
            }
            multiply_on(images, wide, a + unit, depth, pairs, wide, sums, wide);
        }
        _tile_release();
        for (int64_t b = 0; b < batch; b++)
            round_row(columns, sums + b * wide, gradient + b * in + start);
    }
}

/* One step of Adam along the gradient upstream[batch][out]^T rows[batch][in]. */
void linear_step_bfloat16(int64_t batch, int64_t in, int64_t out, const float *upstream,
                          const bfloat16 *rows, const struct adam *adam, float *weight, float *mean,
                          float *square)
{
    const int64_t depth = round_up(batch, DEPTH), wide = round_up(in, SIDE);
    uint32_t *pairs = scratch(0, depth / 2 * wide * 4);
#pragma omp parallel
    {
        bfloat16 *strip = scratch(1, SIDE * depth * 2);
        float *sums = scratch(2, SIDE * CHUNK * 4);
        memset(strip, 0, SIDE * depth * 2);
        full_tiles();
#pragma omp for
        for (int64_t pair = 0; pair < depth / 2; pair++) {
            const bfloat16 *even = rows + 2 * pair * in, *odd = even + in;
            for (int64_t i = 0; i < wide; i++) {
                const uint32_t low = 2 * pair < batch && i < in ? even[i] : 0;
                const uint32_t high = 2 * pair + 1 < batch && i < in ? odd[i] : 0;
                pairs[pair * wide + i] = low | high << 16;
            }
        }
#pragma omp for
        for (int64_t unit = 0; unit < out; unit += SIDE) {
            const int64_t units = least(SIDE, out - unit);
            for (int64_t b = 0; b < batch; b++) {
                bfloat16 rounded[SIDE];
                round_row(units, upstream + b * out + unit, rounded);
                for (int64_t u = 0; u < units; u++)
                    strip[u * depth + b] = rounded[u];
            }
            for (int64_t start = 0; start < in; start += CHUNK) {
                const int64_t columns = least(CHUNK, in - start);
                multiply(depth, round_up(columns, SIDE), strip, depth, pairs + start, wide, sums, CHUNK);
                for (int64_t u = 0; u < units; u++) {
                    const int64_t at = (unit + u) * in + start;
                    take_step(columns, adam, sums + u * CHUNK, weight + at, mean + at, square + at);
                }
            }
        }
        _tile_release();
    }
}

#endif
