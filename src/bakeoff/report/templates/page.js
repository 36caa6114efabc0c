"use strict";
// Sorting, for every table of class sortable: a button in each heading, numbers by data-value,
// first with the better end up, then the other way round.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    if (column === 0) return row.dataset.entrant;
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const upward = now === "none" ? head.dataset.better === "low" : now === "descending";
      const sign = upward ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const x = value(a, column), y = value(b, column);
        if (x === null || y === null) return (x === null) - (y === null);
        return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
      });
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", upward ? "ascending" : "descending");
      body.append(...rows);
    });
  });
}
// The contents mark the section that is being read: the last one that begins in the upper quarter.
const places = [...document.querySelectorAll(".contents a")];
const mark = () => {
  const read = places.filter((link) => {
    return document.querySelector(link.hash).getBoundingClientRect().top < innerHeight / 4;
  }).at(-1);
  places.forEach((link) => link.removeAttribute("aria-current"));
  read?.setAttribute("aria-current", "true");
};
addEventListener("scroll", mark, { passive: true });
mark();
// A link to a word opens the list in which it stands, where the browser does not.
addEventListener("hashchange", () => {
  const folded = document.getElementById(location.hash.slice(1))?.closest("details");
  if (folded) folded.open = true;
});
// What carries the argument is printed, folded or not.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.argument:not([open])")];
  opened.forEach((each) => { each.open = true; });
});
addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
