// Copies the browser files we serve (and axe, which the tests use) from node_modules to vendor/<name>-<version>/ with
// licence and checksums, and makes the sprite that the icons of all pages are drawn from.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const icons = readFileSync(join(root, "static/src/icons.txt"), "utf8").split(/\s+/).filter(Boolean);

const packages = [
  {
    name: "inter",
    from: "@fontsource-variable/inter",
    files: ["files/inter-latin-wght-normal.woff2", "files/inter-latin-ext-wght-normal.woff2"],
  },
  { name: "plotly-basic", from: "plotly.js-basic-dist-min", files: ["plotly-basic.min.js"] },
  { name: "lucide", from: "lucide-static", files: icons.map((icon) => `icons/${icon}.svg`) },
  { name: "axe-core", from: "axe-core", files: ["axe.min.js"], into: "tests/frontend/vendor" },
];

for (const folder of ["static/vendor", "tests/frontend/vendor"]) {
  mkdirSync(join(root, folder), { recursive: true });
  for (const entry of readdirSync(join(root, folder))) rmSync(join(root, folder, entry), { recursive: true });
}
for (const { name, from, files, into = "static/vendor" } of packages) {
  const source = join(root, "node_modules", from);
  const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const target = join(root, into, `${name}-${version}`);
  mkdirSync(target, { recursive: true });
  const sums = ["LICENSE", ...files].map((file) => {
    const flat = file.split("/").pop();
    cpSync(join(source, file), join(target, flat));
    const digest = createHash("sha256").update(readFileSync(join(target, flat))).digest("hex");
    return `${digest}  ${flat}`;
  });
  writeFileSync(join(target, "SHA256SUMS"), sums.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join("\n") + "\n");
}

const lucide = readdirSync(join(root, "static/vendor")).find((folder) => folder.startsWith("lucide-"));
const symbols = [...icons].sort().map((icon) => {
  const svg = readFileSync(join(root, "static/vendor", lucide, `${icon}.svg`), "utf8");
  const drawing = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${icon}" viewBox="0 0 24 24">${drawing.trim().split(/\s+/).join(" ")}</symbol>`;
});
writeFileSync(
  join(root, "static/icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">\n<!-- Lucide, ISC licence: static/vendor/${lucide}/LICENSE -->\n${symbols.join("\n")}\n</svg>\n`,
);
