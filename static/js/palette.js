// Ctrl-K: the search page in a dialog, arrows move, Enter opens.
const dialog = () => document.getElementById("palette");

export const openPalette = () => {
  const palette = dialog();
  if (!palette) return;
  if (!palette.open) palette.showModal();
  const input = palette.querySelector("input");
  input.focus();
  input.select();
  window.htmx?.trigger(input, "palette-open");
};

const move = (step) => {
  const links = [...dialog().querySelectorAll(".palette-results a")];
  if (!links.length) return;
  const index = links.indexOf(dialog().querySelector(".is-current"));
  links[index]?.classList.remove("is-current");
  const next = links[(index + step + links.length) % links.length];
  next.classList.add("is-current");
  next.scrollIntoView({ block: "nearest" });
};

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-palette]");
  if (!opener || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (!dialog()?.open) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    move(step);
  } else if (event.key === "Enter") {
    const target = dialog().querySelector(".is-current") ?? dialog().querySelector(".palette-results a");
    if (target) {
      event.preventDefault();
      target.click();
    }
  }
});
