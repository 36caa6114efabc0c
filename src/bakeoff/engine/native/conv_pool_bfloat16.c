/* A convolution of gray images with the ReLU and the 2 x 2 max-pooling after it, on the matrix units.
 *
 * With one channel to read and a quarter of its numbers to keep, a convolution is mostly the writing
 * and reading of what is thrown away. Here its output is never in memory: four products, one for each
 * place of the windows, meet in registers. Backward, only the place that was taken gets a gradient.
 *
 * Filters are k x k with k at most 5; images get a margin of zeros; filters come in 16s. Without a ReLU
 * nothing is cut at zero.
 */
#ifdef __AMX_BF16__

#include <omp.h>
#include <string.h>

#include "scratch.h"
#include "tiles.h"

enum { PLACES = 4, NOTHING = 4, FILTERS = 2 * SIDE, SLACK = 32 };

/* One image [height][width] -> bfloat16 with a margin of zeros, `stride` to a row. */
static void pad(int64_t height, int64_t width, int64_t margin, int64_t stride, const float *image,
                bfloat16 *padded)
{
    memset(padded, 0, (height + 2 * margin) * stride * sizeof *padded);
    for (int64_t y = 0; y < height; y++)
        round_row(width, image + y * width, padded + (y + margin) * stride + margin);
}

/* ---- forward ------------------------------------------------------------------------------------ */

/* patches[4][16][32]: what a filter sees, row by row, at each place of 16 neighbouring windows. */
static void cut_patches(int64_t windows, int64_t k, int64_t stride, const bfloat16 *corner, bfloat16 *patches)
{
    for (int64_t place = 0; place < PLACES; place++)
        for (int64_t window = 0; window < windows; window++) {
            const bfloat16 *from = corner + place / 2 * stride + 2 * window + place % 2;
            bfloat16 *to = patches + (place * SIDE + window) * DEPTH;
            for (int64_t row = 0; row < k; row++) /* Eight at a time; the next row covers the rest. */
                _mm_storeu_si128((__m128i *)(to + row * k), _mm_loadu_si128((const __m128i *)(from + row * stride)));
        }
}

/* The largest of four sums, plus a bias, and its place; for 16 filters of one window. */
static void keep_largest(const float *sums, const float *bias, int relu, bfloat16 *pooled, uint8_t *places)
{
    __m512 largest = _mm512_load_ps(sums);
    __m128i where = _mm_setzero_si128();
    for (char place = 1; place < PLACES; place++) {
        const __m512 other = _mm512_load_ps(sums + place * SIDE * FILTERS);
        const __mmask16 better = _mm512_cmp_ps_mask(other, largest, _CMP_NLE_UQ); /* true for NaN */
        largest = _mm512_mask_mov_ps(largest, better, other);
        where = _mm_mask_mov_epi8(where, better, _mm_set1_epi8(place));
    }
    largest = _mm512_add_ps(largest, _mm512_loadu_ps(bias));
    const __mmask16 above = _mm512_cmp_ps_mask(largest, _mm512_setzero_ps(), _CMP_NLE_UQ);
    const __mmask16 alive = relu ? above : 0xffff;
    largest = _mm512_maskz_mov_ps(alive, largest);
    _mm256_storeu_si256((__m256i *)pooled, (__m256i)_mm512_cvtneps_pbh(largest));
    _mm_storeu_si128((__m128i *)places, _mm_mask_mov_epi8(_mm_set1_epi8(NOTHING), alive, where));
}

/* images[n][height][width], weight[filters][k][k], bias[filters]
 * -> pooled (bfloat16), places [n][rows][columns][filters], half as high and wide as the convolution's output */
void conv_pool_bfloat16(int64_t n, int64_t height, int64_t width, int64_t k, int64_t margin, int64_t filters,
                        int64_t relu, const float *images, const float *weight, const float *bias,
                        bfloat16 *pooled, uint8_t *places)
{
    const int64_t rows = (height + 2 * margin - k + 1) / 2, columns = (width + 2 * margin - k + 1) / 2;
    const int64_t stride = width + 2 * margin + SLACK;
    uint32_t *pairs = scratch(0, DEPTH / 2 * filters * 4);
    for (int64_t pair = 0; pair < DEPTH / 2; pair++)
        for (int64_t filter = 0; filter < filters; filter++) {
            float two[2];
            bfloat16 rounded[2];
            for (int64_t i = 0; i < 2; i++)
                two[i] = 2 * pair + i < k * k ? weight[filter * k * k + 2 * pair + i] : 0;
            round_row(2, two, rounded);
            memcpy(pairs + pair * filters + filter, rounded, 4);
        }
#pragma omp parallel
    {
        bfloat16 *padded = scratch(1, (height + 2 * margin) * stride * 2 + SLACK * 2);
        float *sums = scratch(2, PLACES * SIDE * FILTERS * 4);
        bfloat16 patches[PLACES * SIDE * DEPTH] __attribute__((aligned(64))) = {0};
        full_tiles();
#pragma omp for
        for (int64_t image = 0; image < n; image++) {
            pad(height, width, margin, stride, images + image * height * width, padded);
            for (int64_t row = 0; row < rows; row++)
                for (int64_t column = 0; column < columns; column += SIDE) {
                    const int64_t windows = least(SIDE, columns - column);
                    const int64_t at = ((image * rows + row) * columns + column) * filters;
                    cut_patches(windows, k, stride, padded + 2 * row * stride + 2 * column, patches);
                    for (int64_t filter = 0; filter < filters; filter += FILTERS) {
                        const int64_t here = least(FILTERS, filters - filter);
                        _tile_loadd(6, pairs + filter, filters * 4);
                        _tile_loadd(7, pairs + filter + here - SIDE, filters * 4);
                        for (int64_t place = 0; place < PLACES; place++) {
                            _tile_zero(0);
                            _tile_zero(1);
                            _tile_loadd(4, patches + place * SIDE * DEPTH, DEPTH * 2);
                            _tile_dpbf16ps(0, 4, 6);
                            _tile_dpbf16ps(1, 4, 7);
                            _tile_stored(0, sums + place * SIDE * FILTERS, FILTERS * 4);
                            _tile_stored(1, sums + place * SIDE * FILTERS + SIDE, FILTERS * 4);
                        }
                        for (int64_t window = 0; window < windows; window++)
                            for (int64_t f = 0; f < here; f += SIDE) {
                                const int64_t to = at + window * filters + filter + f;
                                keep_largest(sums + window * FILTERS + f, bias + filter + f, relu != 0,
                                             pooled + to, places + to);
                            }
                    }
                }
        }
        _tile_release();
    }
}

/* ---- backward ----------------------------------------------------------------------------------- */

/* Sums go over places and windows: two places of 16 windows fill the depth of a tile. */

/* A padded image, its even columns and its odd ones apart: 16 neighbouring windows lie in a row. */
static void part_columns(int64_t rows, int64_t stride, const bfloat16 *padded, bfloat16 *even, bfloat16 *odd)
{
    for (int64_t i = 0; i < rows * stride / 2; i++) {
        even[i] = padded[2 * i];
        odd[i] = padded[2 * i + 1];
    }
}

/* seen[2][32][32]: for each number of a filter, and a row of ones for the bias, what lay under it. */
static void collect_seen(int64_t k, int64_t stride, const bfloat16 *even, const bfloat16 *odd, bfloat16 *seen)
{
    for (int64_t place = 0; place < PLACES; place++)
        for (int64_t y = 0; y < k; y++)
            for (int64_t x = 0; x < k; x++) {
                const int64_t shift = place % 2 + x;
                const bfloat16 *from = (shift % 2 ? odd : even) + (place / 2 + y) * stride / 2 + shift / 2;
                bfloat16 *to = seen + (place / 2 * DEPTH + y * k + x) * DEPTH + place % 2 * SIDE;
                _mm256_storeu_si256((__m256i *)to, _mm256_loadu_si256((const __m256i *)from));
            }
}

/* pairs[2][16][32]: the gradients of up to 32 filters at each place of 16 windows, windows in pairs. */
static void spread_gradients(int64_t windows, int64_t filters, __mmask32 some, const bfloat16 *upstream,
                             const uint8_t *places, uint32_t *pairs)
{
    const __m512i low = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, //
                                         39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(SIDE));
    for (int64_t window = 0; window < windows; window += 2) {
        const __mmask32 there = window + 1 < windows ? some : 0;
        const int64_t first = window * filters, second = first + filters;
        const __m512i left = _mm512_maskz_loadu_epi16(some, upstream + first);
        const __m512i right = _mm512_maskz_loadu_epi16(there, upstream + second);
        const __m256i left_place = _mm256_maskz_loadu_epi8(some, places + first);
        const __m256i right_place = _mm256_maskz_loadu_epi8(there, places + second);
        for (char place = 0; place < PLACES; place++) {
            const __m256i this = _mm256_set1_epi8(place);
            const __m512i a = _mm512_maskz_mov_epi16(_mm256_cmpeq_epi8_mask(left_place, this), left);
            const __m512i b = _mm512_maskz_mov_epi16(_mm256_cmpeq_epi8_mask(right_place, this), right);
            uint32_t *to = pairs + (place * SIDE / 2 + window / 2) * FILTERS;
            _mm512_storeu_si512(to, _mm512_permutex2var_epi16(a, low, b));
            _mm512_storeu_si512(to + SIDE, _mm512_permutex2var_epi16(a, high, b));
        }
    }
}

/* upstream (bfloat16), places [n][rows][columns][filters], images[n][height][width]
 * -> weight_gradient[filters][k][k], bias_gradient[filters] */
void conv_pool_backward_bfloat16(int64_t n, int64_t height, int64_t width, int64_t k, int64_t margin,
                                 int64_t filters, const bfloat16 *upstream, const uint8_t *places,
                                 const float *images, float *weight_gradient, float *bias_gradient)
{
    const int64_t rows = (height + 2 * margin - k + 1) / 2, columns = (width + 2 * margin - k + 1) / 2;
    const int64_t stride = round_up(width + 2 * margin, 2) + 2 * SLACK, pixels = (height + 2 * margin) * stride;
    const int threads = omp_get_max_threads();
    float *partial = scratch(0, threads * DEPTH * FILTERS * 4); /* [threads][32][32] */
    for (int64_t filter = 0; filter < filters; filter += FILTERS) {
        const int64_t here = least(FILTERS, filters - filter);
        const __mmask32 some = here == FILTERS ? 0xffffffff : 0xffff;
        memset(partial, 0, threads * DEPTH * FILTERS * 4);
#pragma omp parallel
        {
            bfloat16 *padded = scratch(1, 2 * pixels * 2 + 2 * SLACK * 2), *even = padded + pixels, *odd = even + pixels / 2;
            bfloat16 seen[PLACES / 2 * DEPTH * DEPTH] __attribute__((aligned(64))) = {0};
            uint32_t pairs[PLACES * SIDE / 2 * FILTERS] __attribute__((aligned(64))) = {0};
            for (int64_t i = 0; i < DEPTH; i++) /* 0x3f80 is 1. */
                seen[k * k * DEPTH + i] = seen[(DEPTH + k * k) * DEPTH + i] = 0x3f80;
            full_tiles();
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
#pragma omp for schedule(static)
            for (int64_t image = 0; image < n; image++) {
                pad(height, width, margin, stride, images + image * height * width, padded);
                part_columns(height + 2 * margin, stride, padded, even, odd);
                for (int64_t row = 0; row < rows; row++)
                    for (int64_t column = 0; column < columns; column += SIDE) {
                        const int64_t corner = row * stride + column;
                        const int64_t at = ((image * rows + row) * columns + column) * filters + filter;
                        const int64_t windows = least(SIDE, columns - column);
                        if (windows < SIDE && columns > SIDE)
                            memset(pairs, 0, sizeof pairs);
                        collect_seen(k, stride, even + corner, odd + corner, seen);
                        spread_gradients(windows, filters, some, upstream + at, places + at, pairs);
                        for (int64_t half = 0; half < PLACES / 2; half++) {
                            _tile_loadd(4, seen + half * DEPTH * DEPTH, DEPTH * 2);
                            _tile_loadd(5, seen + (half * DEPTH + SIDE) * DEPTH, DEPTH * 2);
                            _tile_loadd(6, pairs + half * SIDE * FILTERS, FILTERS * 4);
                            _tile_loadd(7, pairs + half * SIDE * FILTERS + SIDE, FILTERS * 4);
                            _tile_dpbf16ps(0, 4, 6);
                            _tile_dpbf16ps(1, 4, 7);
                            _tile_dpbf16ps(2, 5, 6);
                            _tile_dpbf16ps(3, 5, 7);
                        }
                    }
            }
            float *sums = partial + omp_get_thread_num() * DEPTH * FILTERS;
            _tile_stored(0, sums, FILTERS * 4);
            _tile_stored(1, sums + SIDE, FILTERS * 4);
            _tile_stored(2, sums + SIDE * FILTERS, FILTERS * 4);
            _tile_stored(3, sums + SIDE * FILTERS + SIDE, FILTERS * 4);
            _tile_release();
        }
        /* Thread by thread, so that the same threads give the same sums. */
        for (int64_t f = 0; f < here; f++)
            for (int64_t tap = 0; tap <= k * k; tap++) {
                float sum = 0;
                for (int thread = 0; thread < threads; thread++)
                    sum += partial[(thread * DEPTH + tap) * FILTERS + f];
                *(tap < k * k ? weight_gradient + (filter + f) * k * k + tap : bias_gradient + filter + f) = sum;
            }
    }
}

#endif
