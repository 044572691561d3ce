// Entry of the browser code. Every page works without it; it adds keys, drawers, charts and quiet updates.
import "./csrf.js";
import "./theme.js";
import "./menus.js";
import "./overlays.js";
import "./palette.js";
import "./rows.js";
import "./bulk.js";
import "./keyboard.js";
import "./toasts.js";
import "./charts.js";
import "./weights.js";
import "./mailpreview.js";
import "./scrolling.js";
import "./live.js";
import "./zones.js";
import "./onward.js";

document.documentElement.setAttribute("data-js", "");
