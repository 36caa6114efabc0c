// From one image to another in steps: the picture, and where along the way each entrant changes its mind.

import { byId, colour, el, percent, svg } from "./dom.js";
import { postJson } from "./server.js";

const STEPS = 21;

export class Morph {
  #asked = null;
  #run = null;

  constructor() {
    const to = byId("morph-to");
    const number = () => {
      byId("morph-number-choice").hidden = to.value !== "test";
    };
    to.addEventListener("change", number);
    number();
    byId("morph-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin();
    });
  }

  showRun(run) {
    this.#run = run;
    byId("morph-number").max = run.test_images - 1;
  }

  show(asked) {
    this.#asked = asked;
    byId("morph-begin").disabled = !asked.answers.length;
  }

  async #begin() {
    const to =
      byId("morph-to").value === "test" ? { test: Number(byId("morph-number").value) } : "nearest";
    byId("morph-trouble").textContent = "";
    try {
      this.#show(await postJson("/api/morph", { from: this.#asked.image, to, steps: STEPS }));
    } catch (error) {
      byId("morph-trouble").textContent = error.message;
    }
  }

  #show({ frames, answers }) {
    const picture = el("img", { class: "morphed", alt: "" });
    const slider = el("input", {
      type: "range",
      min: 0,
      max: frames.length - 1,
      step: 1,
      value: 0,
      "aria-label": "Way from the first image to the second",
    });
    const rows = answers.map((answer) => this.#row(answer, frames));
    const move = () => {
      const frame = Number(slider.value);
      picture.src = frames[frame].picture;
      rows.forEach((row) => row.move(frame));
      slider.setAttribute(
        "aria-valuetext",
        `${percent(frames[frame].t)}: ${answers.map((each) => `${each.entrant} ${each.classes[frame]}`).join(", ")}`,
      );
    };
    slider.addEventListener("input", move);
    const morphing = byId("morphing");
    morphing.hidden = false;
    morphing.replaceChildren(
      el(
        "div",
        { class: "between" },
        el("img", { src: frames[0].picture, alt: "first image" }),
        picture,
        el("img", { src: frames.at(-1).picture, alt: "second image" }),
      ),
      el("div", { class: "morph-row" }, el("span", {}), slider, el("span", {})),
      ...rows.map((row) => row.element),
      el(
        "p",
        { class: "quiet" },
        "Height is how sure an entrant is of the class that stands there; a line across is where it changes its mind.",
      ),
    );
    move();
  }

  #row({ entrant, classes, probabilities, turns }, frames) {
    const all = this.#run.classes;
    const sure = classes.map((name, frame) => probabilities[frame][all.indexOf(name)]);
    const last = frames.length - 1;
    const points = sure.map((p, frame) => `${(100 * frame) / last},${40 - 36 * p}`);
    const chart = svg(
      "svg",
      { viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("polygon", { points: `0,40 ${points.join(" ")} 100,40`, class: "sure-of" }),
      ...turns.map((t) => svg("line", { x1: 100 * t, x2: 100 * t, y1: 0, y2: 40, class: "turn" })),
    );
    const edges = [0, ...turns, 1];
    const labels = edges.slice(1).map((end, number) => {
      const t = (edges[number] + end) / 2;
      return el("span", { class: "stretch", "--at": t }, classes[Math.round(t * last)]);
    });
    const here = el("span", { class: "here" });
    const says = el("span", { class: "now" });
    const told = turns.length ? turns.map((t) => percent(t)).join(", ") : "nowhere";
    const place = this.#run.entrants.findIndex((each) => each.name === entrant);
    return {
      element: el(
        "div",
        { class: "morph-row", "--colour": colour(place) },
        el(
          "strong",
          {},
          el("span", { class: "swatch" }),
          entrant,
          el("span", { class: "unseen" }, `, changes its mind at ${told}`),
        ),
        el("span", { class: "course" }, chart, ...labels, here),
        says,
      ),
      move: (frame) => {
        here.style.setProperty("--at", frame / last);
        says.textContent = `${classes[frame]}, ${percent(sure[frame])}`;
      },
    };
  }
}
