"""What a study survives: kills, signals, full disks, rivals in its folder, and bad trainings.

`python -m benchmarks.torture` runs it all and prints the table of docs/reliability.md; the tests in
tests/torture run a share of it. Nothing in the product knows of this: faults are put into Python's
own file functions, in a child process.
"""
