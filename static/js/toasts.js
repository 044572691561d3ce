// Toasts leave after a while; those with an undo stay longer, and none leaves while pointed at or focused.
const plan = (toast) => {
  toast.dataset.seen = "";
  const seconds = "undo" in toast.dataset ? 12 : 6;
  const leave = () =>
    toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove();
  setTimeout(leave, seconds * 1000);
};

const planAll = () => document.querySelectorAll("[data-toast]:not([data-seen])").forEach(plan);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-toast-close]")) event.target.closest("[data-toast]").remove();
});
document.addEventListener("htmx:afterSettle", planAll);
document.addEventListener("htmx:oobAfterSwap", planAll);

// A failed background request says so instead of doing nothing.
const failed = () => {
  const text = document.querySelector('meta[name="request-failed"]')?.content;
  const area = document.getElementById("toasts");
  if (!text || !area || area.querySelector("[data-failed]")) return;
  const toast = document.createElement("div");
  toast.className = "toast error";
  toast.dataset.toast = "";
  toast.dataset.failed = "";
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  area.append(toast);
  planAll();
};
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
planAll();
