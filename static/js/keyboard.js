// Keys of lists: j k move, x select, o or Enter open, e s a act, / search, ? help.
// An action key presses the element with data-key="<key>" in the open drawer, else in the bulk bar, else in the row,
// else on the page.
import { refresh, selectedIn } from "./bulk.js";
import { currentRow, moveRow } from "./rows.js";

const typing = (target) =>
  target.closest("input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]") !== null;

// A key of the page itself, for pages that are not a list of rows.
const onPage = (named) =>
  [...document.querySelectorAll(`main ${named}`)].find((element) => !element.closest("[data-row], .bulkbar"));

const press = (key) => {
  const dialog = document.querySelector("dialog[open]");
  const form = document.querySelector("form[data-bulk]");
  const scope = dialog ?? (selectedIn(form).length ? form.querySelector(".bulkbar") : currentRow());
  const named = `[data-key="${key}"]`;
  const target = scope?.querySelector(named) ?? (dialog ? null : onPage(named));
  target?.click();
  return Boolean(target);
};

const select = () => {
  const box = currentRow()?.querySelector('.check input[type="checkbox"]');
  if (!box) return false;
  box.checked = !box.checked;
  if (box.form) refresh(box.form);
  return true;
};

const openRow = () => {
  const link = currentRow()?.querySelector("a.row-link, a[data-drawer]");
  link?.click();
  return Boolean(link);
};

const focusSearch = () => {
  const search = document.querySelector("[data-search]");
  search?.focus();
  search?.select?.();
  return Boolean(search);
};

const help = () => {
  const dialog = document.getElementById("keyboard-help");
  if (!dialog?.open) dialog?.showModal();
  return true;
};

const inList = { j: () => (moveRow(1), true), k: () => (moveRow(-1), true), x: select, o: openRow, "/": focusSearch };

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const dialog = document.querySelector("dialog[open]");
  if (event.key === "?") {
    if (!dialog && help()) event.preventDefault();
    return;
  }
  if (event.key === "Enter" && event.target.matches("[data-row]") && openRow()) {
    event.preventDefault();
    return;
  }
  const handled = dialog ? press(event.key) : (inList[event.key]?.() ?? (event.key.length === 1 && press(event.key)));
  if (handled) event.preventDefault();
});
