"""Milliseconds until the page is painted, and from a stroke to the answers, shown, in a browser.

    python -m benchmarks.live_page DIR [--strokes 200]

One seed of each entrant, then all of them. The first paint counts from the line with the address,
in a browser that is open already. Each piece of a stroke is drawn when the one before is
answered; it takes encoding, the request, the answers and drawing them. Needs chromium.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import expect, sync_playwright

from tests.live.page.browsing import served

_DRAW = """async (strokes) => {
  const canvas = document.getElementById("canvas"), answers = document.getElementById("answers");
  const box = canvas.getBoundingClientRect();
  const send = (kind, turn) => canvas.dispatchEvent(new PointerEvent(kind, {
    pointerId: 1, button: 0, bubbles: true,
    clientX: box.left + box.width * (0.5 + 0.3 * Math.cos(turn)),
    clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(turn)),
  }));
  canvas.setPointerCapture = () => {};
  const answered = () => new Promise((done) => {
    const look = new MutationObserver(() => {
      if (answers.ariaBusy !== "false") return;
      look.disconnect();
      requestAnimationFrame(() => done());
    });
    look.observe(answers, { attributeFilter: ["aria-busy"] });
  });
  const taken = [];
  for (let stroke = 0; stroke < strokes; stroke += 1) {
    const begun = performance.now(), shown = answered();
    send(stroke ? "pointermove" : "pointerdown", stroke / 40);
    await shown;
    taken.push(performance.now() - begun);
  }
  return taken;
}"""

_PAINTED = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(performance.timeOrigin + list.getEntries()[0].startTime))
    .observe({ type: "paint", buffered: true });
})"""


def main() -> None:
    """Print when it is painted, and the median and the 95th percentile of answers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--strokes", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        one = Path(shutil.copytree(asked.directory, Path(folder, "one")))
        for trial in one.glob("trials/*/*"):
            if trial.name != "0":
                shutil.rmtree(trial)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name, run in {"one seed": one, "all seeds": asked.directory}.items():
            with served(run) as address:
                told = 1000 * time.time()
                page = browser.new_page(reduced_motion="reduce")
                page.goto(address)
                painted = page.evaluate(_PAINTED) - told
                expect(page.locator("#rows .row")).not_to_have_count(0)
                taken = page.evaluate(_DRAW, asked.strokes)[10:]
                half, most = np.percentile(taken, [50, 95])
                print(
                    f"{name}: painted after {painted:.0f} ms; "
                    f"answered in {half:.1f} ms (median), {most:.1f} ms (95th percentile)"
                )
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
