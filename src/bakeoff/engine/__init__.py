"""The training step, made fast: everything between a batch and the weights after it.

The network that is built, scored, drawn and saved stays plain. `fast` makes its twin, which shares
all weights and only takes steps; `step` makes of twin and optimizer one update, and `recorded`
repeats it on a GPU. A trick may change in which order numbers are added, never what is computed:
each has a test beside the plain layers. Whoever adds one gives it a file, a line in this table,
such a test, and a row in `benchmarks.tricks` that says what it gains.

| trick | where |
|---|---|
| ReLU and pooling in one pass | `pool` |
| the first convolution with its ReLU and pooling, its output never in memory | `pool` |
| large layers whose gradient is never in memory | `factored` |
| gradients that stay channels last | `twin` |
| without kernels of our own: pooling before ReLU | `twin` |
| without them: gradients in place, products rounded in the matrix units | `linear` |
| small layers stay in float32 | `linear` |
| networks of linear layers: the backward pass by hand | `chain` |
| dropout from blocks of random bits | `dropout` |
| Adam without what stands around its arithmetic | `adam` |
| optimizers that import no compiler | `optimizers` |
| no denormal numbers, and the process as it was before | `claim` |
| the threads that there are | `team` |

The first three are kernels in C, in `native`, which a C compiler of the machine builds once;
without one PyTorch's serve. docs/performance.md says what each trick gains.
"""

from bakeoff.engine.adam import LeanAdam, lean
from bakeoff.engine.chain import LinearChain
from bakeoff.engine.claim import claimed_process
from bakeoff.engine.dropout import BlockDropout, reseed
from bakeoff.engine.twin import fast

__all__ = ["BlockDropout", "LeanAdam", "LinearChain", "claimed_process", "fast", "lean", "reseed"]
