// Live signs: an element with [data-live="2000"] and hx-trigger="live" is asked anew every so many milliseconds,
// but only while somebody can see the page. A hidden tab asks nothing; coming back asks at once.
const ask = () => {
  if (document.visibilityState !== "visible") return;
  const now = Date.now();
  for (const element of document.querySelectorAll("[data-live]")) {
    if (now - Number(element.dataset.asked ?? 0) < Number(element.dataset.live)) continue;
    element.dataset.asked = String(now);
    window.htmx?.trigger(element, "live");
  }
};

setInterval(ask, 250);
document.addEventListener("visibilitychange", ask);

// A form that must not be sent twice, and a file that is too large to be worth sending.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-once]")) {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  }
});
