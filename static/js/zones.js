// A new login begins in the browser's own time zone; whoever chose one keeps it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const select of document.querySelectorAll("select[data-own-zone]")) {
  if (select.value === "UTC" && [...select.options].some((option) => option.value === zone)) select.value = zone;
}
