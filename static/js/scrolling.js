// A region that scrolls sideways can be reached and scrolled from the keyboard.
const mark = () => {
  for (const region of document.querySelectorAll(".table-wrap")) {
    if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
    else region.removeAttribute("tabindex");
  }
};

addEventListener("resize", mark);
document.addEventListener("htmx:afterSettle", mark);
document.addEventListener("toggle", mark, true);
mark();
