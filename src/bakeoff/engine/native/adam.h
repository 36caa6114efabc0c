/* One step of Adam for a run of neighbouring weights. */
#ifndef BAKEOFF_ADAM_H
#define BAKEOFF_ADAM_H

#include <math.h>
#include <stdint.h>

/* What is the same for all weights in one step. D. Kingma, J. Ba, "Adam", 2015, algorithm 1, its two
 * corrections moved out of the loop: into `rate` and into `correction`. */
struct adam {
    float news1, news2; /* 1 - beta1, 1 - beta2: the share of the new gradient in each moment */
    float beta2, epsilon;
    float rate;       /* learning rate / (1 - beta1^t) */
    float correction; /* 1 / sqrt(1 - beta2^t) */
    float decay;      /* Adam: how much of the weight is added to its gradient */
    float shrink;     /* AdamW: what the weight is multiplied by first */
};

static inline void take_step(int64_t n, const struct adam *adam, const float *restrict gradient,
                             float *restrict weight, float *restrict mean, float *restrict square)
{
    const struct adam a = *adam;
    for (int64_t i = 0; i < n; i++) {
        const float g = gradient[i] + a.decay * weight[i];
        const float m = mean[i] + a.news1 * (g - mean[i]);
        const float v = a.beta2 * square[i] + a.news2 * g * g;
        mean[i] = m;
        square[i] = v;
        weight[i] = a.shrink * weight[i] - a.rate * m / (a.correction * sqrtf(v) + a.epsilon);
    }
}

#endif
