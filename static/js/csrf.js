// Requests carry the page's CSRF token (htmx) and its workspace (htmx and forms), so that a form left open in a tab
// of another workspace is refused instead of being saved in the wrong place.
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = meta("csrf-token");
  if (meta("workspace")) event.detail.headers["X-Workspace"] = meta("workspace");
});

document.addEventListener("formdata", (event) => {
  const form = event.target;
  if (meta("workspace") && form.method === "post" && !event.formData.has("workspace")) {
    event.formData.append("workspace", meta("workspace"));
  }
});
