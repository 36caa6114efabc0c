/* One step of Adam for a large linear layer, in float32, without its gradient ever being in memory.
 *
 * The gradient is a product with a depth of one batch: it is made in blocks that stay in the cache,
 * and Adam takes its step along each block at once.
 */
#include "adam.h"
#include "scratch.h"
#include "sizes.h"

typedef float vector __attribute__((vector_size(64), aligned(4)));

enum { UNITS = 8, LANES = 16, PANEL = 2 * LANES, CHUNK = 16 * PANEL };

/* packed[batch][width] = columns `start` and after of rows[batch][columns], zeros past the last. */
static void pack(int64_t batch, int64_t columns, int64_t start, int64_t width, const float *rows, float *packed)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < width; i++)
            packed[b * width + i] = start + i < columns ? rows[b * columns + start + i] : 0;
}

/* sums[8][32] = units[batch][8]^T panel[batch][32]. Written out, the compiler keeps all sums in registers. */
static void multiply(int64_t batch, const float *units, const float *panel, float *sums)
{
#define EACH_UNIT(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define BEGIN(U) vector left##U = {0}, right##U = {0};
#define ADD(U) left##U += units[U] * left, right##U += units[U] * right;
#define STORE(U) *(vector *)(sums + U * CHUNK) = left##U, *(vector *)(sums + U * CHUNK + LANES) = right##U;
    EACH_UNIT(BEGIN)
    for (int64_t b = 0; b < batch; b++, units += UNITS, panel += PANEL) {
        const vector left = *(const vector *)panel, right = *(const vector *)(panel + LANES);
        EACH_UNIT(ADD)
    }
    EACH_UNIT(STORE)
}

/* One step of Adam along the gradient upstream[batch][out]^T rows[batch][in]. */
void linear_step_float32(int64_t batch, int64_t in, int64_t out, const float *upstream, const float *rows,
                         const struct adam *adam, float *weight, float *mean, float *square)
{
    float *panels = scratch(0, round_up(in, PANEL) * batch * 4); /* [in / 32][batch][32] */
    float *units = scratch(1, round_up(out, UNITS) * batch * 4); /* [out / 8][batch][8] */
#pragma omp parallel
    {
        float *sums = scratch(2, UNITS * CHUNK * 4);
#pragma omp for
        for (int64_t start = 0; start < in; start += PANEL)
            pack(batch, in, start, PANEL, rows, panels + start * batch);
#pragma omp for
        for (int64_t start = 0; start < out; start += UNITS)
            pack(batch, out, start, UNITS, upstream, units + start * batch);
        /* The images' part of a chunk of columns stays in the cache while all units pass. */
        for (int64_t start = 0; start < in; start += CHUNK) {
            const int64_t columns = least(CHUNK, in - start);
#pragma omp for nowait
            for (int64_t unit = 0; unit < out; unit += UNITS) {
                for (int64_t i = 0; i < columns; i += PANEL)
                    multiply(batch, units + unit * batch, panels + (start + i) * batch, sums + i);
                for (int64_t u = 0; u < least(UNITS, out - unit); u++) {
                    const int64_t at = (unit + u) * in + start;
                    take_step(columns, adam, sums + u * CHUNK, weight + at, mean + at, square + at);
                }
            }
        }
    }
}
