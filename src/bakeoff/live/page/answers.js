// One row per entrant: what it answers, how sure it is of each class, and each seed a mark.

import { byId, colour, counted, el, oneTabStop, percent, say, score, setShare } from "./dom.js";
import { metricOf } from "./run.js";
import { afterPause } from "./server.js";

const MOST_COLUMNS = 12;
const BARS = 5;
const FAINT = 0.02;
const SPOKEN_AFTER = 700;

export class Answers extends EventTarget {
  #rows = new Map();

  /** Tells "choose" with the entrant whose inside is wanted. */
  constructor() {
    super();
    this.speak = afterPause((text) => {
      byId("spoken").textContent = text;
    }, SPOKEN_AFTER);
  }

  /** Show who can answer; rows of entrants that were there stay as they are. */
  showRun(run) {
    const { classes } = run;
    this.columns = classes.length <= MOST_COLUMNS && classes.every((name) => name.length <= 3);
    byId("rows").classList.toggle("as-columns", this.columns);
    byId("legend").textContent =
      `Below each name: ${metricOf(run)}. Bars are means over seeds, and each mark is the probability of one seed.`;
    run.entrants.forEach((entrant, place) => {
      let row = this.#rows.get(entrant.name);
      if (!row) {
        row = new Row(entrant.name, place, classes, () => this.#choose(entrant.name));
        this.#rows.set(entrant.name, row);
        byId("rows").append(row.element);
      }
      row.showEntrant(entrant);
    });
  }

  show(asked) {
    const told = summary(asked);
    say(byId("summary"), told);
    this.speak(
      [
        told,
        ...asked.answers.map((each) => `${each.entrant}: ${each.class}, ${percent(each.sure)}.`),
      ].join(" "),
    );
    const known = new Map(asked.answers.map((each) => [each.entrant, each]));
    for (const [name, row] of this.#rows)
      row.show(known.get(name), this.columns, asked.test?.class);
  }

  #choose(name) {
    this.mark(name);
    this.dispatchEvent(new CustomEvent("choose", { detail: name }));
  }

  mark(name) {
    for (const [each, row] of this.#rows) row.button.setAttribute("aria-pressed", each === name);
  }
}

class Row {
  constructor(name, place, classes, choose) {
    this.classes = classes;
    this.place = el("span", { class: "class" }, "–");
    this.sure = el("span", { class: "sure" });
    this.about = el("span", { class: "about" });
    this.seeds = el("span", { class: "seeds", "aria-hidden": "true" });
    this.button = el(
      "button",
      {
        type: "button",
        class: "look",
        "aria-pressed": "false",
        onclick: choose,
        "aria-label": `Look inside ${name}`,
      },
      "inside",
    );
    this.cells = classes.map((label) => {
      const bar = el("span", { class: "bar" });
      const marks = el("span", { class: "marks" });
      const share = el("span", { class: "share" });
      return {
        bar,
        marks,
        share,
        element: el(
          "span",
          { class: "cell" },
          el("span", { class: "track" }, bar, marks),
          el("span", { class: "label" }, label),
          share,
        ),
      };
    });
    this.chart = el(
      "span",
      { class: "chart", role: "img", "aria-label": "no answer yet" },
      ...this.cells.map((cell) => cell.element),
    );
    this.element = el(
      "li",
      { class: "row", "--colour": colour(place) },
      el(
        "span",
        { class: "who" },
        el("strong", {}, el("span", { class: "swatch" }), name),
        this.about,
      ),
      el("span", { class: "says" }, this.place, this.sure, this.seeds),
      this.chart,
    );
  }

  showEntrant(entrant, metric) {
    const { seeds, verdict } = entrant;
    this.about.replaceChildren(
      el("span", { class: "verdict" }, verdict ?? ""),
      seeds.length
        ? `${score(entrant.score)}, ${counted(seeds.length, "seed")}`
        : "no trial has finished yet",
      this.button,
    );
    this.button.hidden = seeds.length === 0;
  }

  show(answer, columns, truth) {
    this.element.classList.toggle("silent", !answer);
    say(this.place, answer ? answer.class : "–");
    say(this.sure, answer ? percent(answer.sure) : "");
    this.element.classList.toggle(
      "wrong",
      Boolean(answer && truth !== undefined && answer.class !== truth),
    );
    this.#showSeeds(answer && answer.seeds.length > 1 ? answer : { seeds: [] });
    const probabilities = answer ? answer.probabilities : this.classes.map(() => 0);
    const order = probabilities
      .map((_, place) => place)
      .sort((a, b) => probabilities[b] - probabilities[a]);
    const best = order[0];
    order.forEach((place, rank) => {
      const { bar, element, marks, share } = this.cells[place];
      const shown = columns || rank < BARS;
      element.hidden = !shown;
      if (!shown) return;
      element.style.order = columns ? 0 : rank;
      element.classList.toggle("best", Boolean(answer) && place === best);
      setShare(bar, probabilities[place]);
      say(share, columns || !answer ? "" : percent(probabilities[place]));
      placeMarks(marks, answer ? answer.seeds : [], place);
    });
    this.chart.setAttribute(
      "aria-label",
      answer ? toldOf(answer, order, this.classes) : "no answer yet",
    );
  }

  #showSeeds({ class: said, seeds }) {
    const now = seeds.map((seed) => [
      `seed ${seed.seed}: ${seed.class}`,
      seed.class === said ? "seed" : "seed parts",
      seed.class.slice(0, 3),
    ]);
    if (this.shownSeeds === String(now)) return;
    this.shownSeeds = String(now);
    this.seeds.replaceChildren(
      ...now.map(([title, name, text]) => el("span", { class: name, title }, text)),
    );
  }
}

/** Put a mark for each seed at its probability; the marks that are there are moved. */
function placeMarks(marks, seeds, place) {
  if (marks.childElementCount !== seeds.length) {
    const at = (number) => (number + 1) / (seeds.length + 1);
    marks.replaceChildren(...seeds.map((_, number) => el("i", { "--at": at(number) })));
  }
  seeds.forEach((seed, number) => {
    const mark = marks.children[number];
    mark.classList.toggle("low", seed.probabilities[place] < FAINT);
    setShare(mark, seed.probabilities[place]);
  });
}

function toldOf(answer, order, classes) {
  const likeliest = order
    .slice(0, 3)
    .map((place) => `${classes[place]} ${percent(answer.probabilities[place])}`);
  const seeds =
    answer.seeds.length > 1
      ? `; seeds say ${answer.seeds.map((seed) => seed.class).join(", ")}`
      : "";
  return `${likeliest.join(", ")}${seeds}`;
}

/** Return the answers in a sentence: who says what, the most common first. */
function summary(asked) {
  if (asked.empty) return `${asked.empty[0].toUpperCase()}${asked.empty.slice(1)}.`;
  if (!asked.answers.length)
    return "No trial has finished yet; the first one answers as soon as it has.";
  const truth = asked.test
    ? `Test image ${asked.test.index} is labelled ${asked.test.class}. `
    : "";
  const said = new Map();
  for (const { class: name, entrant } of asked.answers)
    said.set(name, [...(said.get(name) ?? []), entrant]);
  const groups = [...said].sort((a, b) => b[1].length - a[1].length);
  const [[first, who], ...others] = groups;
  if (!others.length) {
    return `${truth}${who.length > 1 ? `All ${who.length} say` : `${who[0]} says`} ${first}.`;
  }
  const rest = others.map(
    ([name, them]) =>
      `${them.length > 2 ? `${them.length} say` : `${them.join(" and ")} ${them.length > 1 ? "say" : "says"}`} ${name}`,
  );
  return `${truth}${who.length} of ${asked.answers.length} say ${first}; ${rest.join("; ")}.`;
}

/** The training images that lie nearest, and how unusual that is. */
export function showNear(near) {
  byId("near").hidden = !near;
  if (!near) return;
  byId("near-sentence").textContent = near.sentence;
  byId("near-sentence").className = near.unusual ? "caution" : "quiet";
  byId("near-images").replaceChildren(
    ...near.nearest.map((each) =>
      el(
        "li",
        {},
        el("img", { src: each.picture, alt: "" }),
        el("span", {}, each.class),
        el("small", {}, each.index),
      ),
    ),
  );
}

/** Show test images to choose from; chosen: called with the number of one. */
export function showPicks(images, told, chosen) {
  byId("strip").replaceChildren(
    ...images.map((each) =>
      el(
        "li",
        {},
        el(
          "button",
          {
            type: "button",
            onclick: () => chosen(each.index),
            "aria-label": `Test image ${each.index}, ${each.class}${told(each)}`,
          },
          el("img", { src: each.picture, alt: "" }),
          el("span", {}, each.class),
        ),
      ),
    ),
  );
  oneTabStop(byId("strip"));
}
