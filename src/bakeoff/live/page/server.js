// What the page says to the server, and what it hears of it.

/** What the server refused, in the one line that it sent. */
export class Refused extends Error {}

/** Nothing came back: the server was stopped. */
export class Gone extends Error {}

async function answered(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Gone("The server does not answer.");
  }
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(told.error ?? `The server answers ${response.status}.`);
  return told;
}

export const get = (address) => answered(address);

export const postJson = (address, asked) =>
  answered(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Bakeoff": "1" },
    body: JSON.stringify(asked),
  });

export const postPicture = (address, picture) =>
  answered(address, {
    method: "POST",
    headers: { "Content-Type": picture.type || "application/octet-stream", "X-Bakeoff": "1" },
    body: picture,
  });

/**
 * Return a function that hands what it is given to `work`, one at a time. What comes in the meantime
 * waits, and only the latest of it is done afterwards.
 */
export function latest(work) {
  let busy = false;
  let waiting = null;
  return async (...wanted) => {
    waiting = wanted;
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const now = waiting;
        waiting = null;
        await work(...now);
      }
    } finally {
      busy = false;
    }
  };
}

/** Return a function that calls `work` once nobody has called it for so many milliseconds. */
export function afterPause(work, milliseconds) {
  let timer = 0;
  return (...wanted) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...wanted), milliseconds);
  };
}

const RETRY = 1000;

/** Listen to the run. hear: {run, progress, gone, back}; `back` is called at the first time, too. */
export function listen(hear) {
  const source = new EventSource("/api/events");
  source.addEventListener("open", () => hear.back());
  source.addEventListener("run", (event) => hear.run(JSON.parse(event.data)));
  source.addEventListener("progress", (event) => hear.progress(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    hear.gone();
    // A browser tries again by itself, except where it was answered with something else.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen(hear), RETRY);
  });
}
