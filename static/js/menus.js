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
