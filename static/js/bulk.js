// Bulk selection: form[data-bulk] holds boxes in .check cells, a .bulkbar and optionally [data-check-all].
const boxes = (form) => [...form.querySelectorAll('[data-row] .check input[type="checkbox"]')];

export const refresh = (form) => {
  const all = boxes(form);
  const picked = all.filter((box) => box.checked);
  for (const box of all) box.closest("[data-row]").setAttribute("aria-selected", String(box.checked));
  for (const count of form.querySelectorAll("[data-bulk-count]")) count.textContent = picked.length;
  form.querySelector(".bulkbar")?.classList.toggle("is-open", picked.length > 0);
  const head = form.querySelector("[data-check-all]");
  if (head) {
    head.checked = picked.length > 0 && picked.length === all.length;
    head.indeterminate = picked.length > 0 && picked.length < all.length;
  }
};

export const selectedIn = (form) => (form ? boxes(form).filter((box) => box.checked) : []);

let last = null;
document.addEventListener("click", (event) => {
  const box = event.target.closest('form[data-bulk] [data-row] .check input[type="checkbox"]');
  if (!box) return;
  const form = box.form;
  const all = boxes(form);
  if (event.shiftKey && last?.isConnected) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const other of all.slice(from, to + 1)) other.checked = box.checked;
  }
  last = box;
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-bulk]");
  if (!form) return;
  if (event.target.matches("[data-check-all]")) for (const box of boxes(form)) box.checked = event.target.checked;
  refresh(form);
});

document.addEventListener("click", (event) => {
  const clear = event.target.closest("[data-bulk-clear]");
  if (!clear) return;
  event.preventDefault();
  const form = clear.closest("form[data-bulk]");
  for (const box of boxes(form)) box.checked = false;
  refresh(form);
});

const refreshAll = () => document.querySelectorAll("form[data-bulk]").forEach(refresh);
document.addEventListener("htmx:afterSettle", refreshAll);
refreshAll();
