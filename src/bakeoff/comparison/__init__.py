"""What the trials of a study together support: statistics on plain numpy arrays.

`outcome` is what comes in: the classes that each trial predicts or how good its answers are, and
what it cost. `compare` is the way through. It asks of each entrant how good it is (`entrant`), and
of each pair by how much one is better (`pairs`, on what `judged` makes of the answers). About
architectures, `statistics.crossed` takes the difference apart into what other seeds and what other
items would change, and `statistics.pivot` turns that into intervals and p-values; about these very
models, `statistics.over_items` does both. `statistics.groups` serves either where items come in
groups. `statistics.holm` corrects for the number of pairs, and `verdict` says in a word and a
sentence what is left (`words`, in the unit that `scale` knows). `requirement` asks whether what
somebody requires of two entrants is shown.

`statistics` holds pure functions: arrays with named axes in, frozen values out, a paper or an
equation at each. They may be changed when docs/statistics.md, which measures how often they err, is
measured again. No torch, no files, no studies: whoever has predictions can call all of it.
"""
