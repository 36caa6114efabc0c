// One network from the image to its answer, in one row: filters, maps before and after each activation,
// and under a lens whatever is pointed at, with the part of the image that a unit of it sees.

import { byId, el, oneTabStop, percent } from "./dom.js";
import { latest, postJson } from "./server.js";

const MOST_MAPS = 32;

export class Inside {
  #asked = null;
  #run = null;
  #told = null;
  #loaded = "";
  #inSight = false;
  #unfolded = new Set();

  /** trouble: called with an error. */
  constructor(trouble) {
    this.load = latest(async () => {
      if (!this.#inSight || !this.#asked?.answers.length || !this.entrant) return;
      const asked = this.#asked;
      const wanted = {
        image: asked.image,
        entrant: this.entrant,
        seed: Number(byId("inside-seed").value),
      };
      if (this.#loaded === JSON.stringify(wanted)) return;
      try {
        this.#told = { ...(await postJson("/api/inside", wanted)), asked, entrant: wanted.entrant };
        this.#loaded = JSON.stringify(wanted);
        this.#show();
      } catch (error) {
        trouble(error);
      }
    });
    // It is the most that the server is asked for, so only where somebody looks at it.
    new IntersectionObserver(
      ([seen]) => {
        this.#inSight = seen.isIntersecting;
        this.load();
      },
      { rootMargin: "200px" },
    ).observe(byId("inside"));
    byId("inside-entrant").addEventListener("change", () =>
      this.choose(byId("inside-entrant").value),
    );
    byId("inside-seed").addEventListener("change", () => this.load());
    byId("inside-order").addEventListener("change", () => this.#show());
  }

  showRun(run) {
    this.#run = run;
    const select = byId("inside-entrant"),
      before = select.value;
    const ready = run.entrants.filter((entrant) => entrant.seeds.length);
    select.replaceChildren(
      ...ready.map((entrant) => el("option", { value: entrant.name }, entrant.name)),
    );
    const best = [...ready].sort((a, b) => (b.score ?? -1) - (a.score ?? -1))[0];
    select.value = ready.some((each) => each.name === before) ? before : (best?.name ?? "");
    this.#seeds();
  }

  get entrant() {
    return byId("inside-entrant").value;
  }

  choose(name) {
    byId("inside-entrant").value = name;
    this.#seeds();
    this.chosen?.(name);
    return this.load();
  }

  show(asked) {
    this.#asked = asked;
    return this.load();
  }

  #seeds() {
    const select = byId("inside-seed"),
      before = select.value;
    const { seeds = [] } = this.#run.entrants.find((each) => each.name === this.entrant) ?? {};
    select.replaceChildren(...seeds.map((seed) => el("option", {}, seed)));
    if (seeds.map(String).includes(before)) select.value = before;
  }

  #show() {
    const told = this.#told;
    if (!told) return;
    byId("inside-sentence").textContent = `It says ${told.class}. ${told.sentence}`;
    const way = byId("way");
    const held = way.scrollLeft;
    way.hidden = false;
    const image = el("img", {
      src: this.#told.asked.picture,
      alt: "the image as the network receives it",
    });
    way.replaceChildren(
      place("The image", image),
      place(
        "Where it looks",
        el("img", {
          src: told.occlusion.picture,
          alt: `Where covering the image changes the answer: ${told.occlusion.cost}`,
        }),
        told.occlusion.cost,
      ),
      ...told.places.map((each, number) => this.#place(each, number)),
      place("The answer", el("p", { class: "class" }, told.class), this.#sure(told)),
    );
    way.scrollLeft = held;
    this.#lens(this.#pointed?.());
  }

  #sure(told) {
    const answer = told.asked.answers.find((each) => each.entrant === told.entrant);
    const seed = answer?.seeds.find((each) => each.seed === told.seed);
    return seed ? percent(Math.max(...seed.probabilities)) : "";
  }

  #place(where, number) {
    const loudest = Math.max(...where.maps.map((map) => Math.abs(map.speaks ?? 0)), 1e-12);
    let maps = [...where.maps];
    if (byId("inside-order").checked) {
      const says = new Map(
        this.#speaking(number).maps.map((map) => [map.channel, map.speaks ?? 0]),
      );
      maps.sort((a, b) => says.get(b.channel) - says.get(a.channel));
    }
    const rest = this.#unfolded.has(number) ? 0 : maps.length - MOST_MAPS;
    if (rest > 0) maps = maps.slice(0, MOST_MAPS);
    const columns = Math.min(Math.ceil(Math.sqrt(maps.length)), 6);
    const list = el(
      "ul",
      { class: where.height === 1 && where.width > 1 ? "maps flat" : "maps", "--columns": columns },
      ...maps.map((map) => {
        const point = (event) => this.#point(number, map.channel, unitUnder(event, where));
        return el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              "aria-label": `${where.name}, channel ${map.channel}${toldOf(map)}`,
              onpointermove: point,
              onfocus: () => this.#point(number, map.channel, middle(where)),
              onclick: point,
            },
            el("img", { src: map.picture, alt: "" }),
            map.speaks === null
              ? ""
              : el("span", {
                  class: map.speaks < 0 ? "speaks against" : "speaks",
                  "--p": Math.abs(map.speaks) / loudest,
                }),
          ),
        );
      }),
    );
    oneTabStop(list);
    const more =
      rest > 0
        ? el(
            "button",
            {
              type: "button",
              class: "look",
              onclick: () => {
                this.#unfolded.add(number);
                this.#show();
              },
            },
            `and ${rest} more`,
          )
        : "";
    const size = `${where.channels} × ${where.height} × ${where.width}`;
    return where.kind === "filters"
      ? place("Filters", list, `${where.name}, ${where.height} × ${where.width}`, more)
      : place(where.name, list, `${where.kind}, ${size}`, more);
  }

  /** Return whose maps tell the order: before an activation they stand as they do after it. */
  #speaking(number) {
    const { places } = this.#told;
    const here = places[number],
      next = places[number + 1];
    const paired =
      here.kind === "before" && next?.kind === "after" && next.channels === here.channels;
    return paired ? next : here;
  }

  #pointed = null;

  /** Point at a unit of a map; it stays pointed at when the next image comes. */
  #point(number, channel, unit) {
    this.#pointed = () => {
      const where = this.#told.places[number];
      const map = where?.maps.find((each) => each.channel === channel);
      return (
        map && {
          where,
          map,
          unit: {
            row: Math.min(unit.row, where.height - 1),
            column: Math.min(unit.column, where.width - 1),
          },
        }
      );
    };
    this.#lens(this.#pointed());
  }

  #lens(pointed) {
    const lens = byId("lens");
    lens.hidden = !pointed;
    if (!pointed) return;
    const { where, map, unit } = pointed;
    const patch = where.kind === "filters" ? null : patchOf(map.field, unit);
    const { width, height } = this.#run.image;
    const large = figure(
      map.picture,
      `${where.name}, channel ${map.channel}`,
      where.kind === "filters"
        ? null
        : {
            top: unit.row / where.height,
            left: unit.column / where.width,
            height: 1 / where.height,
            width: 1 / where.width,
          },
      where.width / where.height,
    );
    const figures = [large];
    if (patch) {
      figures.push(
        figure(
          this.#told.asked.picture,
          "What this unit sees of the image",
          {
            top: patch.top / height,
            left: patch.left / width,
            height: patch.height / height,
            width: patch.width / width,
          },
          width / height,
        ),
      );
      figures.push(
        el(
          "figure",
          {},
          cut(this.#told.asked.picture, patch),
          el("figcaption", {}, `That patch: ${patch.height} × ${patch.width}`),
        ),
      );
    }
    lens.replaceChildren(
      ...figures,
      el(
        "p",
        { class: "quiet" },
        map.speaks === null
          ? ""
          : `This map speaks ${map.speaks < 0 ? "against" : "for"} the answer: ${map.speaks.toPrecision(2).replace("-", "\u2212")} (gradient times activation, summed).`,
      ),
    );
  }
}

const toldOf = (map) =>
  map.speaks === null ? "" : `, speaks ${map.speaks < 0 ? "against" : "for"} the answer`;

const middle = (where) => ({
  row: Math.floor(where.height / 2),
  column: Math.floor(where.width / 2),
});

function unitUnder(event, where) {
  if (event.detail === 0 && event.type === "click") return middle(where); // Pressed by key.
  const box = event.currentTarget.querySelector("img").getBoundingClientRect();
  const part = (at, start, size) => Math.min(Math.max((at - start) / size, 0), 0.999);
  return {
    row: Math.floor(part(event.clientY, box.top, box.height) * where.height),
    column: Math.floor(part(event.clientX, box.left, box.width) * where.width),
  };
}

function patchOf(field, { row, column }) {
  if (!field) return null;
  return {
    top: row * field.step_y + field.offset_y,
    left: column * field.step_x + field.offset_x,
    height: field.height,
    width: field.width,
  };
}

function place(title, shown, told = "", more = "") {
  return el("section", { class: "place" }, el("h4", {}, title), shown, el("small", {}, told), more);
}

function figure(picture, caption, box, ratio) {
  return el(
    "figure",
    {},
    el(
      "span",
      { class: "framed", "--ratio": ratio },
      el("img", { src: picture, alt: "" }),
      box
        ? el("span", {
            class: "box",
            "--top": box.top,
            "--left": box.left,
            "--height": box.height,
            "--width": box.width,
          })
        : "",
    ),
    el("figcaption", {}, caption),
  );
}

/** Return a canvas with the patch of a picture; what lies outside of the picture stays empty. */
function cut(picture, { top, left, height, width }) {
  const canvas = el("canvas", { width, height, class: "patch", "aria-hidden": "true" });
  const image = new Image();
  image.onload = () => canvas.getContext("2d").drawImage(image, -left, -top);
  image.src = picture;
  return canvas;
}
