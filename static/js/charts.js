// Charts: <div data-chart="ID"> draws the figure of <script type="application/json" id="ID">.
// Colours in a figure may be written as "--name"; they are read from the theme, so both themes and print work.
let plotly;

const loadPlotly = () => {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="plotly-src"]').content;
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
  return plotly;
};

const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

const colour = (name) => {
  const [token, alpha] = name.split("/");
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = "#000";
  brush.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
  return `rgba(${red},${green},${blue},${alpha ?? 1})`;
};

const painted = (value) => {
  if (typeof value === "string") return /^--[a-z0-9-]+(\/[0-9.]+)?$/.test(value) ? colour(value) : value;
  if (Array.isArray(value)) return value.map(painted);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, painted(part)]));
  }
  return value;
};

const axis = (own = {}) => ({
  automargin: true,
  gridcolor: "--hairline",
  linecolor: "--hairline",
  zerolinecolor: "--hairline",
  tickcolor: "--hairline",
  ticks: "",
  ...own,
  ...(own.overlaying && { showgrid: false, rangemode: "tozero", tickmode: "auto", nticks: 4, tickformat: ",~r" }),
  tickfont: { color: "--muted", size: 12, ...own.tickfont },
  title: { standoff: 8, ...own.title, font: { color: "--muted", size: 12, ...own.title?.font } },
});

// A title of a value axis lies flat above its axis: turned text is hard to read and is cut off in a low chart.
const flatTitles = (axes) =>
  Object.entries(axes)
    .filter(([key, own]) => key.startsWith("y") && own.title?.text)
    .map(([, own]) => {
      const right = own.side === "right";
      const text = own.title.text;
      own.title = { ...own.title, text: "" };
      return {
        text,
        showarrow: false,
        xref: "paper",
        yref: "paper",
        x: right ? 1 : 0,
        xanchor: right ? "right" : "left",
        y: 1,
        yanchor: "bottom",
        yshift: 6,
        font: { color: "--muted", size: 12 },
      };
    });

// Names along the axis stay level: at most as many as fit, days written short; dates alike.
const shortDay = new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", timeZone: "UTC" });

const level = (axes, data, width) => {
  if (axes.xaxis.type === "date") Object.assign(axes.xaxis, { nticks: Math.max(Math.floor(width / 90), 2), tickangle: 0 });
  if (axes.xaxis.type !== "category") return;
  const names = [...new Set(data.flatMap((trace) => trace.x ?? []))];
  const step = Math.ceil(names.length / Math.max(Math.floor(width / 72), 2));
  const shown = names.filter((_, index) => index % step === 0);
  const text = (name) => (/^\d{4}-\d\d-\d\d$/.test(name) ? shortDay.format(new Date(name)) : name);
  Object.assign(axes.xaxis, { tickmode: "array", tickvals: shown, ticktext: shown.map(text), tickangle: 0, showgrid: false });
};

const framed = (layout, data, width) => {
  const axes = Object.fromEntries(
    Object.entries({ xaxis: {}, yaxis: {}, ...layout })
      .filter(([key]) => /^[xy]axis\d*$/.test(key))
      .map(([key, own]) => [key, axis(own)]),
  );
  const titles = flatTitles(axes);
  level(axes, data, width);
  return {
    colorway: ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5"],
    hovermode: "closest",
    bargap: 0.25,
    ...layout,
    margin: { l: 8, r: 8, t: titles.length ? 26 : 8, b: 8 },
    annotations: [...(layout.annotations ?? []), ...titles],
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "--color-base-content" },
    legend: { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom" },
    hoverlabel: { bgcolor: "--color-neutral", bordercolor: "--color-neutral", font: { color: "--color-neutral-content" } },
    ...axes,
  };
};

const draw = async (frame) => {
  const source = document.getElementById(frame.dataset.chart);
  if (!source) return;
  frame.dataset.drawn = "";
  const figure = JSON.parse(source.textContent);
  const parsed = typeof figure === "string" ? JSON.parse(figure) : figure;
  const library = await loadPlotly();
  // Measured as late as can be: before the page's styles are there, a frame has no width.
  const layout = framed(parsed.layout ?? {}, parsed.data, frame.clientWidth || Math.min(window.innerWidth - 64, 600));
  delete layout.template;
  await library.react(frame, painted(parsed.data), painted(layout), {
    displayModeBar: false,
    responsive: true,
    staticPlot: false,
    locale: document.documentElement.lang,
  });
};

const drawNew = () => document.querySelectorAll("[data-chart]:not([data-drawn])").forEach(draw);
document.addEventListener("htmx:afterSettle", drawNew);

// A turned phone or another window has room for more or fewer names along an axis.
let settled;
let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return;
  width = window.innerWidth;
  clearTimeout(settled);
  settled = setTimeout(() => document.querySelectorAll("[data-chart][data-drawn]").forEach(draw), 200);
});
document.addEventListener("theme-change", () => document.querySelectorAll("[data-chart]").forEach(draw));
drawNew();
