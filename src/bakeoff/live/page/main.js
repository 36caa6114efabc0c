// What is asked goes to the server, and its answer to every part of the page.

import { Answers, showNear, showPicks } from "./answers.js";
import { byId, counted, el, say } from "./dom.js";
import { Drawing, takePictures } from "./drawing.js";
import { Inside } from "./inside.js";
import { Morph } from "./morph.js";
import { Own } from "./own.js";
import { Run } from "./run.js";
import { Gone, afterPause, get, latest, listen, postJson, postPicture } from "./server.js";

const PAUSE = 250;

const gone = (is) => {
  byId("gone").hidden = !is;
};
const complain = (line) => {
  byId("trouble").textContent = line;
};

function trouble(error) {
  if (!(error instanceof Gone)) return complain(error.message);
  gone(true);
  // Or it closed the door on this request alone.
  return get("/api/run").then(
    () => {
      gone(false);
      complain("That was not answered; try it again, or a smaller picture.");
    },
    () => {},
  );
}

const answers = new Answers();
const inside = new Inside(trouble);
const morph = new Morph();
const progress = new Run();
const own = new Own();
const parts = [answers, inside, morph, progress, own];
let drawing = null;
let finished = null;

answers.addEventListener("choose", (event) => {
  inside.choose(event.detail);
  byId("inside").scrollIntoView({ block: "start" });
});
inside.chosen = (name) => answers.mark(name);

function showRun(run) {
  const first = drawing === null;
  if (first) begin(run);
  parts.forEach((part) => part.showRun(run));
  answers.mark(inside.entrant);
  // A trial that has just finished answers, too.
  if (!first && finished !== run.done && !drawing.empty) ask();
  finished = run.done;
}

function begin(run) {
  drawing = new Drawing(run.image, {
    inkChosen: !run.digits,
    says: afterPause((text) => {
      byId("spoken").textContent = text;
    }, 2 * PAUSE),
  });
  drawing.addEventListener("drawn", () => ask());
  byId("ink-choice").hidden = run.image.channels === 1 || run.digits;
  byId("centring").hidden = !run.digits;
  byId("number").max = run.test_images - 1;
  byId("undo").addEventListener("click", () => drawing.undo());
  byId("clear").addEventListener("click", () => drawing.clear());
  byId("centre").addEventListener("change", () => ask());
  takePictures((picture) => ask({ picture }));
  byId("by-number").addEventListener("submit", (event) => {
    event.preventDefault();
    ask({ test: Number(byId("number").value) });
  });
  for (const button of document.querySelectorAll("[data-kind]")) {
    button.addEventListener("click", () => pick(button.dataset.kind));
  }
}

async function pictureFrom(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
}

/**
 * Ask for what is given, a picture or a test image, or else for what is on the canvas. What is given
 * lies on the canvas as soon as the server took it, and is asked for again until it is drawn over.
 */
const ask = latest(async (given) => {
  byId("answers").setAttribute("aria-busy", true);
  const { state, untouched } = drawing;
  const laid = untouched && state.below ? state.below.source : null;
  const source = given ?? laid ?? { picture: drawing.picture() };
  const asked = await send(source);
  if (given && asked) {
    // As sharp as it came, where the browser can read it; else as the networks receive it.
    const sharp = given.picture && (await createImageBitmap(given.picture).catch(() => null));
    const picture = sharp || (await pictureFrom(asked.picture ?? asked.steps[0].picture));
    // Who has drawn in the meantime goes on with that.
    if (drawing.state === state) drawing.lay(picture, given);
  }
  byId("answers").setAttribute("aria-busy", false);
});

async function send(source) {
  try {
    const asked = source.picture
      ? await postPicture(`/api/ask?centre=${byId("centre").checked ? 1 : 0}`, source.picture)
      : await postJson("/api/ask", source);
    complain("");
    gone(false);
    show(asked);
    return asked;
  } catch (error) {
    trouble(error);
    return null;
  }
}

// Nobody follows five small pictures while drawing, and to load them takes a while.
const showSteps = afterPause((asked) => {
  const steps = byId("steps");
  while (steps.childElementCount > asked.steps.length) steps.lastChild.remove();
  while (steps.childElementCount < asked.steps.length)
    steps.append(el("li", {}, el("img", { alt: "" }), el("span")));
  asked.steps.forEach((step, number) => {
    const [image, name] = steps.children[number].children;
    image.src = step.picture;
    say(name, step.name);
  });
}, PAUSE);

const lookCloser = afterPause(
  latest(async (asked) => {
    await Promise.all([
      postJson("/api/near", { image: asked.image }).then(showNear, trouble),
      inside.show(asked),
    ]);
  }),
  PAUSE,
);

function show(asked) {
  answers.show(asked);
  morph.show(asked);
  own.show(asked);
  showReceived(asked);
  showSteps(asked);
  if (asked.empty) showNear(null);
  else lookCloser(asked);
}

function showReceived(asked) {
  const picture = byId("received-picture");
  byId("received").hidden = Boolean(asked.empty);
  if (asked.empty) return;
  picture.src = asked.picture;
  picture.alt = asked.test ? `test image ${asked.test.index}` : "your picture, made small";
  picture.decode().then(
    () => {
      say(
        byId("received-size"),
        `${picture.naturalWidth} × ${picture.naturalHeight} pixels`,
      );
    },
    () => {},
  );
}

const TOLD = {
  random: () => "",
  disagree: (each) => `, ${counted(each.entrants, "entrant")} of another mind`,
  wrong: (each) => `, ${counted(each.entrants, "entrant")} wrong`,
};

const NONE = {
  random: "",
  disagree: "No two networks part on a test image.",
  wrong: "No network is wrong on a test image.",
};

async function pick(kind) {
  try {
    const { images } = await get(`/api/picks?kind=${kind}&count=24`);
    showPicks(images, TOLD[kind], (test) => ask({ test }));
    say(byId("picked"), images.length ? "" : NONE[kind]);
    if (images.length) ask({ test: images[0].index });
  } catch (error) {
    trouble(error);
  }
}

listen({
  run: showRun,
  progress: (told) => progress.showProgress(told),
  gone: () => gone(true),
  back: () => {
    const wasGone = !byId("gone").hidden;
    gone(false);
    // The server that came back knows no image of before.
    if (wasGone && drawing && !drawing.empty) ask();
  },
});
