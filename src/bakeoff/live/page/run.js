// The run as it goes: what is finished, curves as they grow, standings and verdicts.

import { byId, colour, counted, el, score, svg } from "./dom.js";

/** Return what scores are: "balanced accuracy on test images". */
export const metricOf = (run) => `${run.metric.replace("_", " ")} on ${run.scored_on}`;

const MARKS = { done: "●", running: "◐", stopped: "◐", failed: "✕" };
const STATES = { running: "", stopped: ", stopped" };

const isBegun = (trial) => trial.state === "running" || trial.state === "stopped";

export class Run {
  #run = null;
  #trials = [];

  showRun(run) {
    this.#run = run;
    document.title = `${run.title} – bakeoff`;
    byId("title").textContent = run.title;
    // Between backticks stands what can be typed.
    byId("headline").replaceChildren(
      ...run.headline.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part)),
    );
    const told =
      run.state === "finished"
        ? `${counted(run.done, "trial")}, finished`
        : `${run.done} of ${counted(run.planned, "trial")} finished${STATES[run.state]}`;
    byId("progress-line").textContent = told;
    const bar = byId("progress");
    bar.hidden = run.state === "finished";
    bar.max = run.planned;
    bar.value = run.done;
    byId("run-sentence").textContent =
      `${told}. Best first, by ${metricOf(run)}; curves are validation scores, epoch by epoch.`;
    const report = byId("report");
    report.hidden = !run.report;
    if (run.report) report.href = run.report;
    this.#draw();
  }

  showProgress({ trials }) {
    this.#trials = trials;
    this.#draw();
  }

  #draw() {
    if (!this.#run) return;
    const entrants = this.#run.entrants.map((entrant, place) => ({
      ...entrant,
      place,
      trials: this.#trials.filter((trial) => trial.entrant === entrant.name),
    }));
    entrants.sort((a, b) => (b.score ?? -1) - (a.score ?? -1));
    const values = this.#trials.flatMap((trial) => trial.curve.map(([, value]) => value));
    const scale = {
      low: Math.min(...values),
      high: Math.max(...values),
      last: Math.max(...this.#trials.flatMap((trial) => trial.curve.map(([epoch]) => epoch)), 1),
    };
    byId("standings").replaceChildren(...entrants.map((entrant) => standing(entrant, scale)));
  }
}

function standing(entrant, scale) {
  const { trials } = entrant;
  const states = trials.map(
    (trial) =>
      `seed ${trial.seed} ${trial.state}${isBegun(trial) ? `, epoch ${trial.epoch} of ${trial.epochs}` : ""}`,
  );
  return el(
    "li",
    { class: "standing", "--colour": colour(entrant.place) },
    el(
      "span",
      { class: "who" },
      el("strong", {}, el("span", { class: "swatch" }), entrant.name),
      el("span", { class: "about" }, entrant.verdict ?? ""),
    ),
    el("span", { class: "score" }, score(entrant.score)),
    el(
      "span",
      { class: "trials", role: "img", "aria-label": states.join("; ") || "no trial yet" },
      ...trials.map((trial, number) =>
        el(
          "span",
          { class: `trial ${trial.state}`, title: states[number] },
          MARKS[trial.state] ?? "○",
          isBegun(trial) ? el("small", {}, `${trial.epoch}/${trial.epochs}`) : "",
        ),
      ),
    ),
    curves(trials, scale),
    entrant.sentence ? el("p", { class: "quiet" }, entrant.sentence) : "",
  );
}

function curves(trials, { low, high, last }) {
  const y = (value) => 38 - (36 * (value - low)) / (high - low || 1);
  const lines = trials
    .filter((trial) => trial.curve.length)
    .map(({ curve }) => {
      const points = curve.map(([epoch, value]) => [(100 * epoch) / last, y(value)]);
      // One epoch is a dash.
      if (points.length === 1) points.unshift([points[0][0] - 5, points[0][1]]);
      return svg("polyline", { points: points.join(" ") });
    });
  const ends = trials.flatMap((trial) => trial.curve.slice(-1).map(([, value]) => value));
  const told = ends.length
    ? `validation score up to ${Math.max(...ends).toFixed(4)}`
    : "no epoch yet";
  return el(
    "span",
    { class: "curves" },
    svg(
      "svg",
      { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": told },
      ...lines,
    ),
    ...(ends.length
      ? [el("span", {}, high.toFixed(2)), el("span", { class: "low" }, low.toFixed(2))]
      : []),
  );
}
