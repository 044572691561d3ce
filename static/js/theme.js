// Theme: a cookie the server reads, so the first paint is right. "system" removes both cookie and attribute.
const root = document.documentElement;
const current = () => root.dataset.theme ?? "system";

const show = () => {
  for (const button of document.querySelectorAll("[data-theme-choice] button")) {
    button.setAttribute("aria-pressed", String(button.value === current()));
  }
};

const choose = (theme) => {
  if (theme === "system") {
    delete root.dataset.theme;
    document.cookie = "theme=; path=/; max-age=0; samesite=lax";
  } else {
    root.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  }
  show();
  document.dispatchEvent(new CustomEvent("theme-change"));
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-choice] button");
  if (button) choose(button.value);
});
// Charts are painted with the colours of the moment: again when the system's theme changes and before printing.
for (const condition of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(condition).addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme-change")));
}
show();
