"""The same network, made to train faster: every trick of the training step, in one place.

| trick | where |
|---|---|
| pooling before ReLU, gradients that stay channels last | `twin` |
| large layers: gradients in place, products rounded in the matrix units | `linear` |
| small layers stay in float32 | `linear` |
| networks of linear layers: the backward pass by hand | `chain` |
| dropout from blocks of random bits | `dropout` |
| Adam without what stands around its arithmetic | `adam` |
| no denormal numbers | `denormals` |

docs/performance.md says what each gains.
"""

from bakeoff.training.engine.adam import LeanAdam, lean
from bakeoff.training.engine.chain import LinearChain
from bakeoff.training.engine.denormals import flush_denormals
from bakeoff.training.engine.dropout import BlockDropout, reseed
from bakeoff.training.engine.twin import fast

__all__ = ["BlockDropout", "LeanAdam", "LinearChain", "fast", "flush_denormals", "lean", "reseed"]
