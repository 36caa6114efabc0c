// Pictures that were kept as test cases, and how the entrants do on them.

import { byId, counted, el } from "./dom.js";
import { get, postJson } from "./server.js";

export class Own {
  #asked = null;
  #shown = -1;

  constructor() {
    byId("keep").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep();
    });
  }

  showRun(run) {
    const select = byId("keep-class");
    if (!select.childElementCount) {
      select.append(
        el("option", { value: "" }, "choose"),
        ...run.classes.map((name) => el("option", { value: name }, name)),
      );
    }
    if (run.own.images !== this.#shown) this.#load();
  }

  show(asked) {
    this.#asked = asked;
    byId("keep").hidden = Boolean(asked.empty) || asked.test !== null;
    byId("kept").textContent = "";
    byId("keep-class").value = "";
  }

  async #keep() {
    try {
      const kept = await postJson("/api/keep", {
        image: this.#asked.image,
        class: byId("keep-class").value,
      });
      byId("kept").textContent =
        `Kept as ${kept.path}; ${counted(kept.images, "test case")} of your own.`;
      await this.#load();
    } catch (error) {
      byId("kept").textContent = error.message;
    }
  }

  async #load() {
    const own = await get("/api/own").catch(() => null);
    if (!own) return;
    this.#shown = own.images;
    if (!own.images) return;
    byId("own-sentence").textContent = `${counted(own.images, "image")} kept in own-images.`;
    byId("own-results").hidden = false;
    byId("own-results").replaceChildren(
      el(
        "ul",
        { class: "own-scores" },
        ...own.entrants.map((each) =>
          el(
            "li",
            {},
            el("strong", {}, each.name),
            ` ${each.right} of ${each.of} answers right`,
            el(
              "span",
              { class: "track", "aria-hidden": "true" },
              el("span", { class: "bar", "--p": each.of ? each.right / each.of : 0 }),
            ),
          ),
        ),
      ),
      ...own.findings.map((line) => el("p", {}, line)),
      el(
        "ul",
        { class: "strip" },
        ...own.pictures.map((each) => {
          const said = each.answers.flatMap((answer) => answer.classes);
          const wrong = said.filter((name) => name !== each.class).length;
          return el(
            "li",
            {},
            el("img", { src: each.picture, alt: each.name }),
            el("span", {}, each.class),
            el("small", {}, wrong ? `${wrong} of ${said.length} wrong` : "all right"),
          );
        }),
      ),
    );
  }
}
