// The canvas: strokes of mouse, pen, finger or keys over what was dropped or picked, with undo.

import { byId } from "./dom.js";

const LONGER_SIDE = 336;
const KEY_STEPS = 28;

export class Drawing extends EventTarget {
  /** Tells "drawn" whenever what is on it changed; `says` is called with what keys did. */
  constructor(image, { inkChosen, says }) {
    super();
    this.canvas = byId("canvas");
    this.says = says;
    this.inkChosen = inkChosen;
    const scale = LONGER_SIDE / Math.max(image.width, image.height);
    this.canvas.width = Math.round(image.width * scale);
    this.canvas.height = Math.round(image.height * scale);
    this.context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    // What can be undone: each state is what lies below, and the strokes over it.
    this.states = [{ below: null, strokes: [] }];
    this.stroke = null;
    this.pointer = null;
    this.pen = { x: this.canvas.width / 2, y: this.canvas.height / 2, down: false };
    this.#listenToPointers();
    this.#listenToKeys();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    this.#paint();
  }

  get state() {
    return this.states.at(-1);
  }

  /** Nothing was drawn over what lies below. */
  get untouched() {
    return this.state.strokes.length === 0;
  }

  get empty() {
    return this.untouched && this.state.below === null;
  }

  /** Lay a picture below, fitted into the canvas; source: what to ask with while nothing is over it. */
  lay(picture, source) {
    this.#become({ below: { picture, source }, strokes: [] }, { silently: true });
  }

  clear() {
    if (!this.empty) this.#become({ below: null, strokes: [] });
  }

  undo() {
    if (this.states.length === 1) return;
    this.states.pop();
    this.#changed();
  }

  picture() {
    // Not toBlob: it waits until the browser is idle, which it is not while one draws.
    const encoded = this.canvas.toDataURL("image/png").split(",")[1];
    // Not a Blob either: the browser would fetch that from another process first.
    return Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  }

  #become(state, { silently = false } = {}) {
    this.states.push(state);
    if (silently) this.#paint();
    else this.#changed();
  }

  #changed() {
    this.#paint();
    this.dispatchEvent(new Event("drawn"));
  }

  #colours() {
    if (this.inkChosen) return { paper: "#ffffff", ink: byId("ink").value };
    const css = getComputedStyle(this.canvas);
    return { paper: css.backgroundColor, ink: css.color };
  }

  #paint() {
    const { canvas, context, state } = this;
    const { paper, ink } = this.#colours();
    context.fillStyle = paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (state.below) {
      const { picture } = state.below;
      const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
      const width = picture.width * scale,
        height = picture.height * scale;
      context.imageSmoothingEnabled = scale < 2;
      context.drawImage(
        picture,
        (canvas.width - width) / 2,
        (canvas.height - height) / 2,
        width,
        height,
      );
    }
    context.lineCap = context.lineJoin = "round";
    for (const stroke of state.strokes) {
      context.strokeStyle = context.fillStyle = stroke.ink ?? ink;
      context.lineWidth = stroke.width;
      context.beginPath();
      const [first, ...others] = stroke.points;
      context.moveTo(first.x, first.y);
      // A stroke of one point is a dot: a line to where it began has round ends.
      for (const point of others.length ? others : [first]) context.lineTo(point.x, point.y);
      context.stroke();
    }
    byId("hint").hidden = !this.empty;
  }

  #begin(point) {
    this.stroke = {
      points: [point],
      width:
        (Number(byId("thickness").value) / 100) * Math.max(this.canvas.width, this.canvas.height),
      ink: this.inkChosen ? byId("ink").value : null,
    };
    const { below, strokes } = this.state;
    this.#become({ below, strokes: [...strokes, this.stroke] });
  }

  #goOn(points) {
    this.stroke.points.push(...points);
    this.#changed();
  }

  #listenToPointers() {
    const { canvas } = this;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return {
        x: ((event.clientX - box.left) * canvas.width) / box.width,
        y: ((event.clientY - box.top) * canvas.height) / box.height,
      };
    };
    canvas.addEventListener("pointerdown", (event) => {
      // A second finger is the hand that rests on the glass.
      if (this.pointer !== null || event.button !== 0) return;
      event.preventDefault();
      this.pointer = event.pointerId;
      this.#lift();
      canvas.setPointerCapture(event.pointerId);
      this.#begin(place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const between = event.getCoalescedEvents();
      this.#goOn((between.length ? between : [event]).map(place));
    });
    for (const ending of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(ending, (event) => {
        if (event.pointerId === this.pointer) this.pointer = this.stroke = null;
      });
    }
  }

  #listenToKeys() {
    const { canvas, pen } = this;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      const step = (Math.max(canvas.width, canvas.height) / KEY_STEPS) * (event.shiftKey ? 4 : 1);
      if (moves[event.key]) {
        const [right, down] = moves[event.key];
        pen.x = Math.min(Math.max(pen.x + right * step, 0), canvas.width);
        pen.y = Math.min(Math.max(pen.y + down * step, 0), canvas.height);
        if (pen.down) this.#goOn([{ x: pen.x, y: pen.y }]);
      } else if (event.key === " ") {
        if (pen.down) this.#lift();
        else {
          pen.down = true;
          this.#begin({ x: pen.x, y: pen.y });
        }
      } else if (event.key === "Escape") this.#lift();
      else if (event.key === "Delete") {
        this.#lift();
        this.clear();
      } else if (
        event.key === "Backspace" ||
        (event.key === "z" && (event.ctrlKey || event.metaKey))
      ) {
        this.#lift();
        this.undo();
      } else return;
      event.preventDefault();
      this.#showPen();
      const column = Math.round((100 * pen.x) / canvas.width);
      const row = Math.round((100 * pen.y) / canvas.height);
      this.says(`Pen ${pen.down ? "down" : "up"}, ${column} % across, ${row} % down`);
    });
    canvas.addEventListener("focus", () => this.#showPen());
    canvas.addEventListener("blur", () => {
      this.#lift();
      byId("pen").hidden = true;
    });
  }

  #lift() {
    this.pen.down = false;
    this.stroke = null;
    this.#showPen();
  }

  #showPen() {
    const shown = byId("pen");
    // Only who draws with keys needs to see where the pen is.
    shown.hidden = !this.canvas.matches(":focus-visible");
    shown.classList.toggle("down", this.pen.down);
    shown.style.left = `${(100 * this.pen.x) / this.canvas.width}%`;
    shown.style.top = `${(100 * this.pen.y) / this.canvas.height}%`;
  }
}

/** Call `take` with each picture that is chosen, dropped or pasted. */
export function takePictures(take) {
  const input = byId("file");
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
    if (file) take(file);
  });
  const board = byId("board");
  const over = (is) => board.classList.toggle("over", is);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(false);
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}
