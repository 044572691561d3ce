// A page between two: [data-go-on] is a link to where its person wants to go, and is followed at once. It leaves no
// entry in the history, so that the browser's way back leads to the page before and not here, and on again.
const go = (root) => {
  const link = root.matches?.("[data-go-on]") ? root : root.querySelector?.("[data-go-on]");
  if (link && /^https?:$/.test(link.protocol)) location.replace(link.href);
};

go(document);
document.addEventListener("htmx:load", (event) => go(event.detail.elt));
