// ---- figures of several views ----
const chosenViews = {};

const drawSwitched = (key) => {
  const { views } = figures[key];
  const chosen = chosenViews[key] ?? 0;
  const row = element(`views-${key}`);
  row.hidden = views.length < 2;
  row.replaceChildren(...views.map((view, k) => button(view.label, k === chosen, () => {
    chosenViews[key] = k;
    drawSwitched(key);
  })));
  drawPlain(key, views[chosen]);
};

const drawPlain = (key, kept) => {
  const small = narrow(`figure-${key}`);
  const layout = { ...kept.layout, ...(small ? kept.narrow : {}) };
  const figure = clone({ data: kept.data, layout });
  if (small && figure.layout.yaxis) {
    figure.layout.yaxis.tickfont = { size: 10, ...figure.layout.yaxis.tickfont };
  }
  draw(`figure-${key}`, figure);
};

// ---- tables ----
// Besides the shadows at their edges, captions of tables that do not fit say so.
const markScrolling = () => {
  for (const box of document.querySelectorAll(".scroll")) {
    const caption = box.previousElementSibling;
    caption.querySelector(".sideways")?.remove();
    if (box.scrollWidth <= box.clientWidth + 1) continue;
    const sign = document.createElement("span");
    sign.className = "sideways";
    sign.textContent = "  ↔ scrolls sideways";
    caption.append(sign);
  }
};
for (const folded of document.querySelectorAll("details")) {
  folded.addEventListener("toggle", markScrolling);
}

// ---- all figures ----
const drawAll = () => {
  for (const [key, kept] of Object.entries(figures)) {
    if (key === "matrix") drawMatrix();
    else if (key === "paths") drawPaths();
    else if (kept.views) drawSwitched(key);
    else drawPlain(key, kept);
  }
};

const THEMES = ["system", "light", "dark"];
const themeButton = element("theme");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const now = root.dataset.theme || "system";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
  themeButton.textContent = `Theme: ${next}`;
  drawAll();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

// Paper is white and narrow, whatever the screen is.
let beforePrint = null;
let unfolded = [];
addEventListener("beforeprint", () => {
  // Browsers that do not know ::details-content print only what is open.
  unfolded = [...document.querySelectorAll("details:not(.query, .query *, [open])")];
  for (const folded of unfolded) folded.open = true;
  beforePrint = root.dataset.theme || "system";
  root.dataset.theme = "light";
  root.classList.add("printing");
  drawAll();
});
addEventListener("afterprint", () => {
  for (const folded of unfolded) folded.open = false;
  root.classList.remove("printing");
  if (beforePrint === "system") delete root.dataset.theme; else root.dataset.theme = beforePrint;
  drawAll();
});

let width = innerWidth;
let waiting = 0;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    markScrolling();
    drawAll();
  }, 120);
});

markScrolling();
if (figures.matrix) matrixControls();
if (figures.paths) pathControls();
drawAll();
