const figures = JSON.parse(document.getElementById("figures").textContent);
const root = document.documentElement;
const element = (id) => document.getElementById(id);
// ---- what every figure needs ----
const CONFIG = {
  displaylogo: false,
  modeBarButtons: [["toImage", "resetScale2d"]],
};
const ENSEMBLE = "logit ensemble of the two models";
const state = { matrix: 0, order: 0, view: 0, pair: null };

// Figures name colours as CSS variables; here they get their values in the present theme.
const resolve = (value, style) => {
  if (typeof value === "string") {
    return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  }
  if (Array.isArray(value)) {
    const first = value[0];
    const named = typeof first === "string" && first.startsWith("--");
    const objects = typeof first === "object" && first !== null && !Array.isArray(first);
    return named || objects ? value.map((item) => resolve(item, style)) : value;
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, style)]));
  }
  return value;
};

const draw = (id, figure) => {
  const target = element(id);
  const style = getComputedStyle(root);
  const color = (name) => style.getPropertyValue(name).trim();
  const { data, layout } = resolve(figure, style);
  const axis = {
    gridcolor: color("--grid"), linecolor: color("--rule"), zerolinecolor: color("--rule"),
    automargin: true, fixedrange: matchMedia("(pointer: coarse)").matches,
  };
  for (const trace of data) {
    if (trace.colorbar) {
      trace.colorbar.tickfont = { color: color("--muted") };
    }
  }
  // Margins of a plot are only worked out anew for a new plot.
  const same = target.dataset.width === String(target.clientWidth);
  target.dataset.width = String(target.clientWidth);
  (same ? Plotly.react : Plotly.newPlot)(target, data, {
    width: target.clientWidth,
    dragmode: false,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: color("--muted"), activecolor: color("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: color("--ink") },
    hoverlabel: {
      bgcolor: color("--panel"), bordercolor: color("--muted"), align: "left",
      font: { color: color("--ink"), size: 13 },
    },
    ...layout,
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
    ...(layout.yaxis2 ? { yaxis2: { ...axis, ...layout.yaxis2 } } : {}),
  }, CONFIG);
  return target;
};

const narrow = (id) => element(id).clientWidth < 560;
const clone = (value) => JSON.parse(JSON.stringify(value));
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");


const button = (text, pressed, action) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-pressed", String(pressed));
  made.addEventListener("click", action);
  return made;
};

// A row of buttons, of which one is pressed; a choice of one is none.
const choose = (id, choices, chosen, action) => {
  element(id).replaceChildren(
    ...(choices.length < 2 ? [] : choices.map((c) => button(c, c === chosen, () => action(c)))));
};

// Half-precision numbers in base64; NaN becomes null, which figures leave out.
const unpack = ({ f16 }) => {
  const bytes = Uint8Array.from(atob(f16), (c) => c.charCodeAt(0));
  const words = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 2 }, (_, k) => {
    const bits = words.getUint16(2 * k, true);
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    if (exponent === 31) return null;
    const size = exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : mantissa * 2 ** -24;
    return bits & 32768 ? -size : size;
  });
};

const digits = (value, n) => Number(value.toPrecision(n)).toString();
