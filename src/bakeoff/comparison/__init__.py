"""What the trials of a study together support: statistics on plain numpy arrays.

`outcome` is what comes in: the classes that each trial predicts, and what it cost. `compare` is the
way through. It asks of each entrant how good it is (`statistics.entrants`), and of each pair by how
much one is better (`pairs`): `statistics.crossed` takes the difference apart into what other seeds
and what other images would change, `statistics.pivot` turns that into intervals and p-values,
`statistics.holm` corrects for the number of pairs, and `verdict` says in a word and a sentence what
is left (`words`).

`statistics` holds pure functions: arrays with named axes in, frozen values out, a paper or an
equation at each. They may be changed when docs/statistics.md, which measures how often they err, is
measured again. No torch, no files, no studies: whoever has predictions can call all of it.
"""
