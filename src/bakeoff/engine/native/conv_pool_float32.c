/* A convolution of gray images with the ReLU and the 2 x 2 max-pooling after it, in float32.
 *
 * As in conv_pool_bfloat16.c the output of the convolution is never in memory, and only the place of a
 * window that was taken gets a gradient. Up to 32 filters at a time lie in two vectors.
 *
 * Filters are k x k with k at most 5; images get a margin of zeros; filters come in 16s. Without a ReLU
 * nothing is cut at zero.
 */
#include <immintrin.h>
#include <omp.h>
#include <string.h>

#include "scratch.h"
#include "sizes.h"

enum { PLACES = 4, NOTHING = 4, LANES = 16, FILTERS = 2 * LANES, WIDEST = 5, TAPS = WIDEST * WIDEST };

/* One image [height][width] with a margin of zeros, `stride` to a row. */
static void pad(int64_t height, int64_t width, int64_t margin, int64_t stride, const float *image, float *padded)
{
    memset(padded, 0, (height + 2 * margin) * stride * sizeof *padded);
    for (int64_t y = 0; y < height; y++)
        memcpy(padded + (y + margin) * stride + margin, image + y * width, width * sizeof *image);
}

/* ---- forward ------------------------------------------------------------------------------------ */

/* The largest of four sums, plus a bias, and its place; for 16 filters of one window. */
static void keep_largest(const __m512 sums[PLACES], const float *bias, int relu, float *pooled, uint8_t *places)
{
    __m512 largest = sums[0];
    __m128i where = _mm_setzero_si128();
    for (char place = 1; place < PLACES; place++) {
        const __mmask16 better = _mm512_cmp_ps_mask(sums[(int)place], largest, _CMP_NLE_UQ); /* true for NaN */
        largest = _mm512_mask_mov_ps(largest, better, sums[(int)place]);
        where = _mm_mask_mov_epi8(where, better, _mm_set1_epi8(place));
    }
    largest = _mm512_add_ps(largest, _mm512_loadu_ps(bias));
    const __mmask16 above = _mm512_cmp_ps_mask(largest, _mm512_setzero_ps(), _CMP_NLE_UQ);
    const __mmask16 alive = relu ? above : 0xffff;
    _mm512_storeu_ps(pooled, _mm512_maskz_mov_ps(alive, largest));
    _mm_storeu_si128((__m128i *)places, _mm_mask_mov_epi8(_mm_set1_epi8(NOTHING), alive, where));
}

/* One window, `here` filters: corner is the first pixel under them at its first place. taps[k * k][32]. */
static void convolve(int64_t k, int64_t stride, int64_t here, int relu, const float *corner, const float *taps,
                     const float *bias, float *pooled, uint8_t *places)
{
    __m512 left[PLACES], right[PLACES];
    for (int place = 0; place < PLACES; place++)
        left[place] = right[place] = _mm512_setzero_ps();
    for (int64_t y = 0; y < k; y++)
        for (int64_t x = 0; x < k; x++, taps += FILTERS) {
            const __m512 a = _mm512_loadu_ps(taps), b = _mm512_loadu_ps(taps + LANES);
#pragma GCC unroll 4
            for (int place = 0; place < PLACES; place++) {
                const __m512 pixel = _mm512_set1_ps(corner[(y + place / 2) * stride + x + place % 2]);
                left[place] = _mm512_fmadd_ps(pixel, a, left[place]);
                right[place] = _mm512_fmadd_ps(pixel, b, right[place]);
            }
        }
    keep_largest(left, bias, relu, pooled, places);
    if (here > LANES)
        keep_largest(right, bias + LANES, relu, pooled + LANES, places + LANES);
}

/* images[n][height][width], weight[filters][k][k], bias[filters]
 * -> pooled, places [n][rows][columns][filters], half as high and wide as the convolution's output */
void conv_pool_float32(int64_t n, int64_t height, int64_t width, int64_t k, int64_t margin, int64_t filters,
                       int64_t relu, const float *images, const float *weight, const float *bias, float *pooled,
                       uint8_t *places)
{
    const int64_t rows = (height + 2 * margin - k + 1) / 2, columns = (width + 2 * margin - k + 1) / 2;
    const int64_t stride = width + 2 * margin, numbers = round_up(filters, FILTERS) * k * k;
    float *taps = scratch(0, numbers * 4); /* [filters / 32][k * k][32] */
    memset(taps, 0, numbers * 4);
    for (int64_t filter = 0; filter < filters; filter++)
        for (int64_t tap = 0; tap < k * k; tap++)
            taps[(filter / FILTERS * k * k + tap) * FILTERS + filter % FILTERS] = weight[filter * k * k + tap];
#pragma omp parallel
    {
        float *padded = scratch(1, (height + 2 * margin) * stride * 4);
#pragma omp for
        for (int64_t image = 0; image < n; image++) {
            pad(height, width, margin, stride, images + image * height * width, padded);
            for (int64_t row = 0; row < rows; row++)
                for (int64_t column = 0; column < columns; column++)
                    for (int64_t filter = 0; filter < filters; filter += FILTERS) {
                        const int64_t to = ((image * rows + row) * columns + column) * filters + filter;
                        convolve(k, stride, filters - filter, relu != 0, padded + 2 * row * stride + 2 * column,
                                 taps + filter * k * k, bias + filter, pooled + to, places + to);
                    }
        }
    }
}

/* ---- backward ----------------------------------------------------------------------------------- */

/* sums[k][32] += what one row of up to 32 filters gets from a row of windows. */
static void add_row(int64_t columns, int64_t k, int64_t stride, int64_t filters, __mmask32 some,
                    const float *pixels, const float *upstream, const uint8_t *places, float *sums)
{
    __m512 left[WIDEST], right[WIDEST];
#pragma GCC unroll 5
    for (int x = 0; x < WIDEST; x++) {
        left[x] = _mm512_loadu_ps(sums + x * FILTERS);
        right[x] = _mm512_loadu_ps(sums + x * FILTERS + LANES);
    }
    for (int64_t column = 0; column < columns; column++) {
        const float *up = upstream + column * filters;
        const __m256i taken = _mm256_maskz_loadu_epi8(some, places + column * filters);
#pragma GCC unroll 4
        for (int place = 0; place < PLACES; place++) {
            const __mmask32 here = _mm256_mask_cmpeq_epi8_mask(some, taken, _mm256_set1_epi8((char)place));
            const __m512 a = _mm512_maskz_loadu_ps((__mmask16)here, up);
            const __m512 b = _mm512_maskz_loadu_ps((__mmask16)(here >> LANES), up + LANES);
            const float *under = pixels + place / 2 * stride + 2 * column + place % 2;
#pragma GCC unroll 5
            for (int x = 0; x < WIDEST; x++) { /* Past k they are sums that nobody reads. */
                const __m512 pixel = _mm512_set1_ps(under[x]);
                left[x] = _mm512_fmadd_ps(pixel, a, left[x]);
                right[x] = _mm512_fmadd_ps(pixel, b, right[x]);
            }
        }
    }
#pragma GCC unroll 5
    for (int x = 0; x < k; x++) {
        _mm512_storeu_ps(sums + x * FILTERS, left[x]);
        _mm512_storeu_ps(sums + x * FILTERS + LANES, right[x]);
    }
}

/* sums[here] += the gradients that were taken at some place. */
static void add_bias(int64_t columns, int64_t filters, int64_t here, const float *upstream, const uint8_t *places,
                     float *sums)
{
    for (int64_t column = 0; column < columns; column++)
        for (int64_t f = 0; f < here; f++)
            sums[f] += places[column * filters + f] == NOTHING ? 0 : upstream[column * filters + f];
}

/* upstream, places [n][rows][columns][filters], images[n][height][width]
 * -> weight_gradient[filters][k][k], bias_gradient[filters] */
void conv_pool_backward_float32(int64_t n, int64_t height, int64_t width, int64_t k, int64_t margin,
                                int64_t filters, const float *upstream, const uint8_t *places,
                                const float *images, float *weight_gradient, float *bias_gradient)
{
    const int64_t rows = (height + 2 * margin - k + 1) / 2, columns = (width + 2 * margin - k + 1) / 2;
    const int64_t stride = width + 2 * margin + WIDEST;
    const int64_t of_thread = (TAPS + WIDEST) * round_up(filters, FILTERS); /* numbers */
    const int threads = omp_get_max_threads();
    float *partial = scratch(0, threads * of_thread * 4); /* [threads][filters / 32][taps, then bias][32] */
    memset(partial, 0, threads * of_thread * 4);
#pragma omp parallel
    {
        float *padded = scratch(1, (height + 2 * margin + 1) * stride * 4);
        float *mine = partial + omp_get_thread_num() * of_thread;
#pragma omp for schedule(static)
        for (int64_t image = 0; image < n; image++) {
            pad(height, width, margin, stride, images + image * height * width, padded);
            for (int64_t row = 0; row < rows; row++)
                for (int64_t filter = 0; filter < filters; filter += FILTERS) {
                    const int64_t at = (image * rows + row) * columns * filters + filter;
                    const int64_t here = least(FILTERS, filters - filter);
                    const __mmask32 some = here == FILTERS ? 0xffffffff : 0xffff;
                    float *sums = mine + filter * (TAPS + WIDEST);
                    for (int64_t y = 0; y < k; y++)
                        add_row(columns, k, stride, filters, some, padded + (2 * row + y) * stride, upstream + at,
                                places + at, sums + y * k * FILTERS);
                    add_bias(columns, filters, here, upstream + at, places + at, sums + TAPS * FILTERS);
                }
        }
    }
    /* Thread by thread, so that the same threads give the same sums. */
    for (int64_t filter = 0; filter < filters; filter++)
        for (int64_t tap = 0; tap <= k * k; tap++) {
            float sum = 0;
            const int64_t row = tap < k * k ? tap : TAPS;
            for (int thread = 0; thread < threads; thread++)
                sum += partial[thread * of_thread + (filter / FILTERS * (TAPS + WIDEST) + row) * FILTERS +
                               filter % FILTERS];
            *(tap < k * k ? weight_gradient + filter * k * k + tap : bias_gradient + filter) = sum;
        }
}
