// Weight sliders: range and number of a .weight move together; [data-share] shows the normalised share.
const refresh = (group) => {
  const items = [...group.querySelectorAll(".weight")];
  const weight = (item) => Math.max(Number(item.querySelector('input[type="number"]').value) || 0, 0);
  const total = items.reduce((sum, item) => sum + weight(item), 0);
  for (const item of items) {
    const share = total ? weight(item) / total : 0;
    item.querySelector("[data-share]").textContent = `${Math.round(share * 1000) / 10}%`;
  }
};

document.addEventListener("input", (event) => {
  const item = event.target.closest?.("[data-weights] .weight");
  if (!item) return;
  for (const other of item.querySelectorAll("input")) {
    if (other !== event.target && ["range", "number"].includes(other.type)) other.value = event.target.value;
  }
  refresh(item.closest("[data-weights]"));
});

const refreshAll = () => document.querySelectorAll("[data-weights]").forEach(refresh);
document.addEventListener("htmx:afterSettle", refreshAll);
refreshAll();
