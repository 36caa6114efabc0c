"""The run folder: what trials leave, out and in.

A trial's folder appears under its name by one rename, when its files are written and flushed; it is
never written again. So whoever finds a trial finds it whole, and nobody has to ask who else is at
work. What can go wrong afterwards is found by reading: every file is compared with the manifest
beside it, every document is held to its form (`trial_files`, `checkpoints`) and to
what a training can have left (`contradictions`).

Who may write what is said by locks: a trial belongs to the holder of its lock, the comparison and
the times to that of `conclusion`, `study.toml` to that of `study`. `folder` knows all places;
nobody else puts a path together. `mend` moves aside what is damaged, and nothing here ever removes
what is finished. To add a file to a trial, add it to `trial_files`, and a limit of its size with
it.
"""
