/* 2 x 2 max-pooling with the ReLU that follows it, in one pass over channels-last images.
 *
 * PyTorch keeps a 64-bit index for every maximum and fills the gradient with zeros before it scatters
 * into it. A window has four places, so here a byte says which one was taken, and the backward pass
 * writes every number once.
 *
 * Numbers are compared as the integers that their bits make. For two that are not negative the order
 * is the same, and whatever is negative comes below zero and is cut off anyway. NaN is made the
 * greatest of all, so that it is handed on as PyTorch hands it on.
 */
#include <stdint.h>

enum { NOTHING = 4 }; /* The place where all four are at most zero. */

#define DEFINE_RELU_POOL(SUFFIX, BITS, LARGEST, INFINITE)                                              \
    static inline BITS ordered_##SUFFIX(BITS bits)                                                     \
    {                                                                                                  \
        return (bits & LARGEST) > INFINITE ? LARGEST : bits;                                           \
    }                                                                                                  \
                                                                                                       \
    /* images [n, height, width, channels] -> pooled, places [n, height / 2, width / 2, channels] */   \
    void relu_pool_##SUFFIX(int64_t n, int64_t height, int64_t width, int64_t channels,                \
                            const BITS *images, BITS *pooled, uint8_t *places)                         \
    {                                                                                                  \
        const int64_t rows = height / 2, columns = width / 2;                                          \
        _Pragma("omp parallel for") for (int64_t row = 0; row < n * rows; row++)                       \
        {                                                                                              \
            const BITS *upper = images + (row / rows * height + row % rows * 2) * width * channels;    \
            for (int64_t column = 0; column < columns; column++) {                                     \
                const BITS *a = upper + 2 * column * channels, *b = a + channels;                      \
                const BITS *c = a + width * channels, *d = c + channels;                               \
                BITS *out = pooled + (row * columns + column) * channels;                              \
                uint8_t *place = places + (row * columns + column) * channels;                         \
                for (int64_t k = 0; k < channels; k++) {                                               \
                    BITS largest = 0, where = NOTHING;                                                 \
                    const BITS w = ordered_##SUFFIX(a[k]), x = ordered_##SUFFIX(b[k]);                 \
                    const BITS y = ordered_##SUFFIX(c[k]), z = ordered_##SUFFIX(d[k]);                 \
                    where = w > largest ? 0 : where, largest = w > largest ? w : largest;              \
                    where = x > largest ? 1 : where, largest = x > largest ? x : largest;              \
                    where = y > largest ? 2 : where, largest = y > largest ? y : largest;              \
                    where = z > largest ? 3 : where, largest = z > largest ? z : largest;              \
                    out[k] = largest;                                                                  \
                    place[k] = (uint8_t)where;                                                         \
                }                                                                                      \
            }                                                                                          \
        }                                                                                              \
    }                                                                                                  \
                                                                                                       \
    /* upstream, places [n, height / 2, width / 2, channels] -> gradient [n, height, width, channels] */ \
    void relu_pool_backward_##SUFFIX(int64_t n, int64_t height, int64_t width, int64_t channels,       \
                                     const BITS *restrict upstream, const uint8_t *restrict places,    \
                                     BITS *restrict gradient)                                          \
    {                                                                                                  \
        const int64_t rows = height / 2, columns = width / 2;                                          \
        _Pragma("omp parallel for") for (int64_t row = 0; row < n * rows; row++)                       \
        {                                                                                              \
            BITS *upper = gradient + (row / rows * height + row % rows * 2) * width * channels;        \
            for (int64_t column = 0; column < columns; column++) {                                     \
                const BITS *up = upstream + (row * columns + column) * channels;                       \
                const uint8_t *place = places + (row * columns + column) * channels;                   \
                for (int64_t which = 0; which < 4; which++) {                                          \
                    BITS *out = upper + (which / 2 * width + 2 * column + which % 2) * channels;       \
                    for (int64_t k = 0; k < channels; k++)                                             \
                        out[k] = place[k] == which ? up[k] : 0;                                        \
                }                                                                                      \
            }                                                                                          \
            /* What no window covers, where a size is odd. */                                          \
            if (width % 2)                                                                             \
                for (int64_t k = 0; k < channels; k++)                                                 \
                    upper[(width - 1) * channels + k] = upper[(2 * width - 1) * channels + k] = 0;     \
            if (height % 2 && row % rows == rows - 1)                                                  \
                for (int64_t k = 0; k < width * channels; k++)                                         \
                    upper[2 * width * channels + k] = 0;                                               \
        }                                                                                              \
    }

DEFINE_RELU_POOL(float32, int32_t, 0x7fffffff, 0x7f800000)
DEFINE_RELU_POOL(bfloat16, int16_t, 0x7fff, 0x7f80)
