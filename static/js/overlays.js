// Drawer and dialog: a link with data-drawer or data-dialog loads its address into the overlay;
// the href stays a working page. Focus returns to where it was when the overlay closes.
const kinds = { drawer: "data-drawer", dialog: "data-dialog" };
const openers = new Map();

const plainClick = (event) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

const open = (overlay, opener) => {
  if (!openers.has(overlay)) openers.set(overlay, opener ?? document.activeElement);
  if (!overlay.open) overlay.showModal();
  // In this order; one selector list would answer in the order of the document.
  const wanted = ["[autofocus]", ".dialog-body input[type='radio']:checked", ".dialog-body :is(input:not([type='hidden']), textarea, select)", "h2"];
  const start = wanted.map((selector) => overlay.querySelector(selector)).find(Boolean);
  if (start?.matches("h2")) start.tabIndex = -1;
  start?.focus();
  const toasts = document.getElementById("toasts");
  if (toasts) overlay.append(toasts);
};

export const load = (kind, url, opener) => {
  const content = document.getElementById(`${kind}-content`);
  openers.set(content.closest("dialog"), opener);
  content.setAttribute("aria-busy", "true");
  const done = () => content.removeAttribute("aria-busy");
  return window.htmx.ajax("GET", url, { target: content, swap: "innerHTML" }).then(done, done);
};

// Whatever is swapped into an overlay opens it, also through a plain hx-target="#dialog-content". Not before htmx has
// taken up its forms: an Enter that comes sooner would submit them the plain way and load the whole page.
document.addEventListener("htmx:afterSettle", (event) => {
  const content = event.detail.target;
  if (/^(drawer|dialog)-content$/.test(content?.id) && content.textContent.trim()) {
    open(content.closest("dialog"), event.detail.requestConfig?.elt);
  }
});

export const closeAll = () => {
  for (const overlay of document.querySelectorAll("dialog[open]")) overlay.close();
};

document.addEventListener("click", (event) => {
  for (const [kind, attribute] of Object.entries(kinds)) {
    const link = event.target.closest(`[${attribute}]`);
    if (link && plainClick(event)) {
      event.preventDefault();
      load(kind, link.getAttribute(attribute) || link.href, link);
      return;
    }
  }
  const local = event.target.closest("[data-open]");
  if (local) {
    event.preventDefault();
    open(document.getElementById(local.dataset.open), local);
  }
  const closer = event.target.closest("[data-close]");
  if (closer?.closest("dialog")) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
  if (event.target.matches?.("dialog.drawer, dialog.dialog")) event.target.close();
});

document.addEventListener(
  "close",
  (event) => {
    const overlay = event.target;
    const toasts = document.getElementById("toasts");
    if (toasts && overlay.contains(toasts)) document.body.append(toasts);
    const opener = openers.get(overlay);
    openers.delete(overlay);
    if (opener?.isConnected) opener.focus({ preventScroll: true });
    else document.dispatchEvent(new CustomEvent("rows:refocus"));
  },
  true,
);

// A server answer closes the overlay with the header "HX-Trigger: overlay-close".
document.addEventListener("overlay-close", closeAll);
