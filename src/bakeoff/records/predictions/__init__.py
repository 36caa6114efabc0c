"""Predictions made anywhere: from files of many kinds to arrays that can be compared.

    paths -> files.py: which files, of which entrant and run
          -> table.py (text), json_table.py, parquet, arrays.py, logs: a table, or bare rows
          -> roles.py: which column says what; answers.py: what the answers of a table are
          -> join.py: items by name, labels that agree, runs of each entrant: Predictions

`read.py` is the way through. Nothing here imports torch, and nothing is joined by position where
there are names.
"""
