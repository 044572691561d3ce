// Rule builder and other repeated rows: [data-repeat] holds rows [data-repeat-row], one <template> with __index__
// in its names, and buttons [data-repeat-add] / [data-repeat-remove] that also work as submits without JavaScript.
let next = Date.now() % 100000;

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-repeat-add]");
  const remove = event.target.closest("[data-repeat-remove]");
  const group = (add ?? remove)?.closest("[data-repeat]");
  if (!group) return;
  const template = group.querySelector(":scope > template");
  if (add && !template) return;
  event.preventDefault();
  if (add) {
    const holder = document.createElement("template");
    holder.innerHTML = template.innerHTML.replaceAll("__index__", String(next++));
    const row = holder.content.firstElementChild;
    template.before(row);
    window.htmx?.process(row);
    row.querySelector("select, input")?.focus();
  } else {
    const row = remove.closest("[data-repeat-row]");
    const neighbour = row.nextElementSibling?.querySelector?.("select, input") ?? group.querySelector("[data-repeat-add]");
    row.remove();
    neighbour?.focus();
  }
  group.dispatchEvent(new Event("change", { bubbles: true }));
});
