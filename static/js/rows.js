// The current row of a list: elements with [data-row]. Survives swaps: if the row is gone, its place is kept.
let place = -1;

export const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
export const currentRow = () => document.querySelector("[data-row].is-current");

export const setCurrent = (row, focus = true) => {
  currentRow()?.classList.remove("is-current");
  if (!row) return;
  place = rows().indexOf(row);
  row.classList.add("is-current");
  if (focus) {
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
};

export const moveRow = (step) => {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(currentRow());
  const from = at === -1 ? (step > 0 ? -1 : all.length) : at;
  setCurrent(all[Math.min(Math.max(from + step, 0), all.length - 1)]);
};

const keepPlace = (focus) => {
  if (place === -1 || currentRow()) return;
  const all = rows();
  if (all.length) setCurrent(all[Math.min(place, all.length - 1)], focus);
};

document.addEventListener("htmx:afterSettle", () => keepPlace(!document.querySelector("dialog[open]")));
document.addEventListener("rows:refocus", () => {
  keepPlace(true);
  currentRow()?.focus({ preventScroll: true });
});
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (row && row !== currentRow()) setCurrent(row, false);
});
