// While a mail is written its preview follows. Each time the frame is a new element, so that the browser's "back" leads to
// the page before and not to an earlier state of the preview.
const PAUSE = 500;
let waiting;
let shown = 0;

const show = (form) => {
  const button = document.querySelector(`[data-refresh="${form.id}"]`);
  const old = document.querySelector(".mail-preview iframe.mail-frame");
  if (!button || !old) return;
  const fresh = old.cloneNode();
  fresh.removeAttribute("src");
  // A name of its own: the old frame would answer to the old one.
  fresh.name = button.formTarget = `mail-preview-${(shown += 1)}`;
  fresh.classList.add("is-coming");
  old.after(fresh);
  fresh.addEventListener("load", () => {
    fresh.classList.remove("is-coming");
    for (const other of fresh.parentElement.querySelectorAll("iframe")) if (other !== fresh) other.remove();
  });
  form.requestSubmit(button);
};

const later = (event) => {
  const form = event.target.form;
  if (!form?.hasAttribute("data-mail-preview") || event.target.name === "width" || event.target.name === "note") return;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(form), event.type === "change" ? 50 : PAUSE);
};

document.addEventListener("input", later);
document.addEventListener("change", later);
