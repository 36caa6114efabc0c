/* The matrix units (AMX) and what goes into them.
 *
 * A tile holds 16 rows of 64 bytes. C += A B takes A as 16 rows of 32 bfloat16 and B as 16 rows of 16
 * pairs (pair r of a column holds its numbers 2r and 2r + 1), and adds up in float32.
 */
#ifndef BAKEOFF_TILES_H
#define BAKEOFF_TILES_H

#include <immintrin.h>
#include <stdint.h>

#include "sizes.h"

typedef uint16_t bfloat16; /* its bits */

enum { SIDE = 16, DEPTH = 32 }; /* rows of a tile; numbers of A or B in a row or column */

/* Let all eight tiles of this thread have their full size. */
static inline void full_tiles(void)
{
    struct {
        uint8_t palette, start, unused[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } layout = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        layout.bytes[tile] = 64;
        layout.rows[tile] = SIDE;
    }
    _tile_loadconfig(&layout);
}

static inline __mmask16 first(int64_t n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1 << n) - 1); }

/* Round n numbers. */
static inline void round_row(int64_t n, const float *from, bfloat16 *to)
{
    for (int64_t i = 0; i < n; i += 16) {
        const __m512 numbers = _mm512_maskz_loadu_ps(first(n - i), from + i);
        _mm256_mask_storeu_epi16(to + i, first(n - i), (__m256i)_mm512_cvtneps_pbh(numbers));
    }
}

#endif
