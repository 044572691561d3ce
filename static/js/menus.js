// Disclosure menus close on Esc, on a click outside and when another opens.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = [...openMenus()].pop();
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// On a phone a panel whose chip stands far to the right is moved until it fits.
document.addEventListener(
  "toggle",
  ({ target }) => {
    const panel = target.open && target.matches?.("details[data-menu]") && target.querySelector(".menu-panel");
    if (!panel) return;
    panel.style.translate = "";
    const over = panel.getBoundingClientRect().right - (document.documentElement.clientWidth - 8);
    if (over > 0) panel.style.translate = `${-over}px`;
  },
  true,
);
