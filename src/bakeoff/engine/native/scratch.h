/* Memory that a thread keeps for what it computes on the way. */
#ifndef BAKEOFF_SCRATCH_H
#define BAKEOFF_SCRATCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 3 };

/* Return at least `bytes` bytes on a cache line, this thread's own; they hold what was last there.
 * Memory that is given back and asked for anew comes as pages that the system has to clear. */
static void *scratch(int slot, int64_t bytes)
{
    static _Thread_local struct {
        void *memory;
        int64_t bytes;
    } kept[SLOTS];
    if (kept[slot].bytes < bytes) {
        free(kept[slot].memory);
        kept[slot].bytes = (bytes + 63) / 64 * 64;
        kept[slot].memory = aligned_alloc(64, (size_t)kept[slot].bytes);
        if (kept[slot].memory == NULL) {
            fputs("bakeoff: no memory for a matrix product\n", stderr);
            abort();
        }
    }
    return kept[slot].memory;
}

#endif
