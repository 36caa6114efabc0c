/* 2 x 2 max-pooling, alone or with the ReLU after it, in one pass over channels-last images.
 *
 * PyTorch keeps a 64-bit index for every maximum and fills the gradient with zeros before it scatters
 * into it. A window has four places, so here a byte says which one was taken, and the backward pass
 * writes every number once.
 *
 * Numbers are compared as the integers that their bits make, those of negative numbers turned round;
 * what is not a number counts as the greatest of all, so that it is handed on as in PyTorch. With a
 * ReLU zero is a fifth number, which wins where no other is larger.
 */
#include <immintrin.h>
#include <stdint.h>


enum { PLACES = 4, NOTHING = 4 }; /* NOTHING: the place where all four are at most zero. */

/* The same for both types; LANE is what the intrinsics call a number of BITS, LANES fill a vector. */
#define DEFINE_POOLING(SUFFIX, BITS, LANE, LANES, MASK, LARGEST, INFINITE)                             \
    static inline MASK lanes_##SUFFIX(int64_t n)                                                       \
    {                                                                                                  \
        return n >= LANES ? (MASK)-1 : (MASK)(((uint64_t)1 << n) - 1);                                 \
    }                                                                                                  \
                                                                                                       \
    static inline __m512i ordered_##SUFFIX(__m512i bits)                                               \
    {                                                                                                  \
        const __m512i largest = _mm512_set1_##LANE(LARGEST), zero = _mm512_setzero_si512();            \
        const __m512i size = _mm512_and_si512(bits, largest);                                          \
        const __m512i turned = _mm512_xor_si512(bits, largest);                                        \
        const MASK none = _mm512_test_##LANE##_mask(size, size);                                       \
        bits = _mm512_mask_mov_##LANE(bits, _mm512_cmplt_##LANE##_mask(bits, zero), turned);           \
        bits = _mm512_maskz_mov_##LANE(none, bits); /* Minus zero is zero. */                          \
        const MASK wrong = _mm512_cmpgt_##LANE##_mask(size, _mm512_set1_##LANE(INFINITE));             \
        return _mm512_mask_mov_##LANE(bits, wrong, largest);                                           \
    }                                                                                                  \
                                                                                                       \
    static inline __m512i number_##SUFFIX(__m512i ordered)                                             \
    {                                                                                                  \
        const __m512i turned = _mm512_xor_si512(ordered, _mm512_set1_##LANE(LARGEST));                 \
        const MASK below = _mm512_cmplt_##LANE##_mask(ordered, _mm512_setzero_si512());                \
        return _mm512_mask_mov_##LANE(ordered, below, turned);                                         \
    }                                                                                                  \
                                                                                                       \
    /* images [n, height, width, channels] -> pooled, places [n, height / 2, width / 2, channels] */   \
    static inline void pool_##SUFFIX(int64_t n, int64_t height, int64_t width, int64_t channels,       \
                                     const BITS *images, BITS *pooled, uint8_t *places, BITS least,    \
                                     BITS otherwise)                                                   \
    {                                                                                                  \
        const int64_t rows = height / 2, columns = width / 2;                                          \
        _Pragma("omp parallel for") for (int64_t at = 0; at < n * rows; at++)                          \
        {                                                                                              \
            const BITS *row = images + (at / rows * height + at % rows * 2) * width * channels;        \
            for (int64_t column = 0; column < columns; column++)                                       \
                for (int64_t k = 0; k < channels; k += LANES) {                                        \
                    const int64_t to = (at * columns + column) * channels + k;                         \
                    const MASK some = lanes_##SUFFIX(channels - k);                                    \
                    __m512i largest = _mm512_set1_##LANE(least), where = _mm512_set1_##LANE(otherwise); \
                    for (BITS place = 0; place < PLACES; place++) {                                    \
                        const BITS *from = row + (place / 2 * width + 2 * column + place % 2) * channels + k; \
                        const __m512i other = ordered_##SUFFIX(_mm512_maskz_loadu_##LANE(some, from)); \
                        const MASK better = _mm512_cmpgt_##LANE##_mask(other, largest);                \
                        largest = _mm512_mask_mov_##LANE(largest, better, other);                      \
                        where = _mm512_mask_mov_##LANE(where, better, _mm512_set1_##LANE(place));      \
                    }                                                                                  \
                    _mm512_mask_storeu_##LANE(pooled + to, some, number_##SUFFIX(largest));            \
                    _mm512_mask_cvt##LANE##_storeu_epi8(places + to, some, where);                     \
                }                                                                                      \
        }                                                                                              \
    }                                                                                                  \
                                                                                                       \
    void max_pool_##SUFFIX(int64_t n, int64_t height, int64_t width, int64_t channels,                 \
                           const BITS *images, BITS *pooled, uint8_t *places)                          \
    {                                                                                                  \
        pool_##SUFFIX(n, height, width, channels, images, pooled, places, (BITS)~LARGEST, 0);          \
    }                                                                                                  \
                                                                                                       \
    void relu_pool_##SUFFIX(int64_t n, int64_t height, int64_t width, int64_t channels,                \
                            const BITS *images, BITS *pooled, uint8_t *places)                         \
    {                                                                                                  \
        pool_##SUFFIX(n, height, width, channels, images, pooled, places, 0, NOTHING);                 \
    }                                                                                                  \
                                                                                                       \
    /* upstream, places [n, height / 2, width / 2, channels] -> gradient [n, height, width, channels] */ \
    void pool_backward_##SUFFIX(int64_t n, int64_t height, int64_t width, int64_t channels,            \
                                const BITS *upstream, const uint8_t *places, BITS *gradient)           \
    {                                                                                                  \
        const int64_t rows = height / 2, columns = width / 2, line = width * channels;                 \
        _Pragma("omp parallel for") for (int64_t at = 0; at < n * rows; at++)                          \
        {                                                                                              \
            BITS *row = gradient + (at / rows * height + at % rows * 2) * line;                        \
            for (int64_t column = 0; column < columns; column++)                                       \
                for (int64_t k = 0; k < channels; k += LANES) {                                        \
                    const int64_t from = (at * columns + column) * channels + k;                       \
                    const MASK some = lanes_##SUFFIX(channels - k);                                    \
                    const __m512i up = _mm512_maskz_loadu_##LANE(some, upstream + from);               \
                    const __m512i taken = _mm512_maskz_loadu_epi8(some, places + from);                \
                    for (int place = 0; place < PLACES; place++) {                                     \
                        BITS *to = row + (place / 2 * width + 2 * column + place % 2) * channels + k;  \
                        const MASK here = (MASK)_mm512_cmpeq_epi8_mask(taken, _mm512_set1_epi8(place)); \
                        _mm512_mask_storeu_##LANE(to, some, _mm512_maskz_mov_##LANE(here, up));        \
                    }                                                                                  \
                }                                                                                      \
            /* What no window covers, where a size is odd. */                                          \
            for (int64_t k = 2 * columns * channels; k < line; k++)                                    \
                row[k] = row[line + k] = 0;                                                            \
            if (height % 2 && at % rows == rows - 1)                                                   \
                for (int64_t k = 0; k < line; k++)                                                     \
                    row[2 * line + k] = 0;                                                             \
        }                                                                                              \
    }

DEFINE_POOLING(float32, int32_t, epi32, 16, __mmask16, 0x7fffffff, 0x7f800000)
DEFINE_POOLING(bfloat16, int16_t, epi16, 32, __mmask32, 0x7fff, 0x7f80)
