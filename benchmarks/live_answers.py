"""Milliseconds from a drawing to the answers of all networks of a run, as the page asks for them.

    python -m benchmarks.live_answers DIR [--rounds 100]

One seed of each entrant and all of them take turns. The page's part, to encode the drawing and to
show the answers, is measured in a browser.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from bakeoff.live.run import Run
from bakeoff.live.server import application
from bakeoff.report.pictures.raster import photograph, png
from benchmarks.drawn_digits import by_hand


def main() -> None:
    """Print the median and the 95th percentile."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    run = Run(asked.directory)
    every = run.now.records
    chosen = {"one seed": [each for each in every if each.seed == 0], "all seeds": every}
    page = TestClient(
        application(run), base_url="http://127.0.0.1:8080", headers={"X-Bakeoff": "1"}
    )
    taken: dict[str, list[float]] = {name: [] for name in chosen}
    canvases = [
        png(photograph(by_hand(number % 10, number)[None], light_on_dark=False))
        for number in range(20)
    ]
    for name, records in chosen.items():
        run.trained.hold(records)
        page.post("/api/ask", content=canvases[0])  # Weights are read when they are first used.
        for number in range(asked.rounds):
            began = time.perf_counter()
            answer = page.post("/api/ask", content=canvases[number % len(canvases)])
            taken[name].append(1000 * (time.perf_counter() - began))
            assert answer.status_code == 200
    for name, milliseconds in taken.items():
        half, most = np.percentile(milliseconds, [50, 95])
        networks = sum(each.complete for each in chosen[name])
        print(f"{name}, {networks} networks: median {half:.1f} ms, 95th percentile {most:.1f} ms")


if __name__ == "__main__":
    main()
