// ---- barrier matrix ----
// Pairs are numbered (0, 1), (0, 2), ..., (1, 2), ... by the order of the models in the matrix.
const pairNumber = (n, i, j) => {
  const [a, b] = i < j ? [i, j] : [j, i];
  return (a * (2 * n - a - 1)) / 2 + (b - a - 1);
};

const MEASURES = ["convexity_gap", "barrier_height"];

const matrixValues = (view) => {
  if (!view.values) {
    view.values = Object.fromEntries(
      MEASURES.filter((name) => view[name]).map((name) => [name, unpack(view[name])]));
  }
  return view.values;
};

const withUnit = (value, unit) =>
  value === null ? "not measured" : `${digits(value, 3)}${unit ? ` ${unit}` : ""}`;

const cellText = (view, values, k, bounds) => {
  const lines = [`convexity gap ${withUnit(values.convexity_gap[k], view.unit)}`];
  if (values.convexity_gap[k] !== null) {
    lines.push(`barrier height ${withUnit(values.barrier_height[k], view.unit)}`);
    if (bounds) lines.push(bounds);
  }
  return lines;
};

// Which model is at each place, and where each model is, in the order that is shown.
const shownOrder = () => figures.matrix.orders[state.order];
const placeOf = (k) => shownOrder().at.indexOf(k);
const shownName = (place) => figures.matrix.names[shownOrder().at[place]];

const heatmap = (view, isFirst) => {
  const { names, decisions } = figures.matrix;
  const { at: models } = shownOrder();
  const n = names.length;
  const values = matrixValues(view);
  const at = Array.from({ length: n }, (_, k) => k);
  const cell = (i, j) => (i === j ? 0 : values.convexity_gap[pairNumber(n, i, j)]);
  const told = (i, j) => {
    if (i === j) return plain(names[i]);
    const k = pairNumber(n, i, j);
    const bounds = isFirst ? decisions.said[k] : undefined;
    return [`${names[i]} and ${names[j]}`, ...cellText(view, values, k, bounds)].map(plain).join("<br>");
  };
  const gap = n <= 48 ? 1 : 0;
  return {
    type: "heatmap", x: at, y: at, z: models.map((i) => models.map((j) => cell(i, j))),
    text: models.map((i) => models.map((j) => told(i, j))), hovertemplate: "%{text}<extra></extra>",
    zmin: 0, zmax: view.top, colorscale: "Cividis", hoverongaps: false, xgap: gap, ygap: gap,
    colorbar: {
      title: { text: `convexity gap of the ${view.metric}${view.unit ? `, ${view.unit}` : ""}`, side: "right" },
      thickness: 12, outlinewidth: 0, len: 0.9,
    },
  };
};

const bothWays = (pairs) => pairs.flatMap(([i, j]) => [[i, j], [j, i]]);

// Crosses on the pairs that have no gap, so that grey is not taken for a value.
const holes = (view) => {
  const n = figures.matrix.names.length;
  const { convexity_gap: gaps } = matrixValues(view);
  const pairs = [];
  for (let i = 0, k = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1, k += 1) if (gaps[k] === null) pairs.push([i, j]);
  }
  const cells = bothWays(pairs).map((pair) => pair.map(placeOf));
  return cells.length === 0 ? [] : [{
    type: "scatter", mode: "markers", x: cells.map((c) => c[0]), y: cells.map((c) => c[1]),
    marker: { symbol: "x-thin", size: 9, line: { width: 1.2, color: "--ink" } },
    text: cells.map(([j, i]) => plain(`${shownName(i)} and ${shownName(j)}`)),
    hovertemplate: "%{text}<br>not measured<extra></extra>", showlegend: false,
  }];
};

// Rings on the pairs of which the examples do not say whether they are connected.
const rings = () => {
  const n = figures.matrix.names.length;
  const open = new Set(figures.matrix.decisions.undecided);
  const pairs = [];
  for (let i = 0, k = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1, k += 1) if (open.has(k)) pairs.push([i, j]);
  }
  const cells = bothWays(pairs).map((pair) => pair.map(placeOf));
  return cells.length === 0 ? [] : [{
    type: "scatter", mode: "markers", x: cells.map((c) => c[0]), y: cells.map((c) => c[1]),
    marker: {
      symbol: "circle-open", size: n <= 24 ? 7 : 4, color: "--paper", line: { width: 1.5 },
    },
    hoverinfo: "skip", showlegend: false,
  }];
};

// The two cells of the marked pair get a frame.
const cellFrames = () => {
  const names = figures.matrix.names;
  const [i, j] = state.pair.map((k) => placeOf(names.indexOf(figures.paths.models[k])));
  return [[i, j], [j, i]].map(([x, y]) => ({
    type: "rect", xref: "x", yref: "y", x0: x - 0.5, x1: x + 0.5, y0: y - 0.5, y1: y + 0.5,
    line: { color: "#ff3b3b", width: 3 }, fillcolor: "rgba(0,0,0,0)",
  }));
};

const drawMatrix = () => {
  const { views } = figures.matrix;
  const { data, layout: kept } = shownOrder();
  const view = views[state.matrix];
  const isFirst = state.matrix === 0;
  const layout = clone(kept);
  const heat = heatmap(view, isFirst);
  const width = element("figure-matrix").clientWidth;
  const n = figures.matrix.names.length;
  if (narrow("figure-matrix")) {
    Object.assign(heat.colorbar, { orientation: "h", y: 1.06, yanchor: "bottom", x: 0.5, len: 1 });
    heat.colorbar.title.side = "top";
    layout.margin.t = 30;
    layout.height = width + (layout.yaxis2 ? 230 : 150);
    const step = Math.max(1, Math.ceil(n / 24));
    const ticks = Array.from({ length: Math.ceil(n / step) }, (_, k) => k * step);
    for (const axis of [layout.xaxis, layout.yaxis]) {
      axis.tickfont = { size: 9 };
      axis.tickvals = ticks;
      axis.ticktext = ticks.map((k) => plain(shownName(k)));
    }
    layout.xaxis.tickangle = -90;
  } else {
    layout.height = Math.round(width * (layout.yaxis2 ? 1.02 : 0.86));
    heat.colorbar.y = layout.yaxis2 ? 0.4 : 0.5;
    heat.colorbar.len = layout.yaxis2 ? 0.72 : 0.9;
  }
  if (state.pair) layout.shapes = [...layout.shapes, ...cellFrames()];
  const target = draw("figure-matrix", {
    data: [heat, ...holes(view), ...(isFirst ? rings() : []), ...clone(data)], layout,
  });
  target.removeAllListeners("plotly_click");
  target.on("plotly_click", onCell);
};

const matrixControls = () => {
  const { views, orders } = figures.matrix;
  const chosen = views[state.matrix];
  const labels = orders.map((order) => order.label);
  choose("matrix-orders", labels, labels[state.order], (label) => {
    state.order = labels.indexOf(label);
    matrixControls();
    drawMatrix();
  });
  const KEYS = ["dataset", "metric", "half"];
  // The view that has the new choice and as many of the others as there are.
  const show = (key, value) => {
    const fits = (view) => KEYS.filter((k) => view[k] === (k === key ? value : chosen[k])).length;
    const able = views.filter((view) => view[key] === value);
    state.matrix = views.indexOf(able.reduce((a, b) => (fits(b) > fits(a) ? b : a)));
    matrixControls();
    drawMatrix();
  };
  const ids = { dataset: "matrix-datasets", metric: "matrix-metrics", half: "matrix-halves" };
  for (const key of KEYS) {
    const choices = [...new Set(views.map((view) => view[key]))];
    if (key !== "dataset") choices.sort().reverse();
    choose(ids[key], choices, chosen[key], (value) => show(key, value));
  }
  element("matrix-ordering").hidden = orders.length < 2;
  element("matrix-controls").hidden = views.length < 2 && orders.length < 2;
};

const onCell = (event) => {
  const point = event.points.find((p) => Number.isInteger(p.x) && Number.isInteger(p.y));
  if (!point || point.x === point.y || point.data.yaxis === "y2") return;
  const { names, views, runs, runs_url: at, runs_command: command } = figures.matrix;
  const view = views[state.matrix];
  const [a, b] = [shownName(point.y), shownName(point.x)];
  const k = pairNumber(names.length, ...[point.x, point.y].map((place) => shownOrder().at[place]));
  const told = cellText(view, matrixValues(view), k, undefined)[0];
  const parts = [`${a} and ${b}: ${told} on ${view.dataset}, ${view.half}`];
  const link = (text, href) => {
    const made = document.createElement("a");
    made.href = href;
    made.textContent = text;
    parts.push(", ", made);
  };
  const code = (text) => {
    const made = document.createElement("code");
    made.className = "id";
    made.textContent = text;
    return made;
  };
  const models = figures.paths ? figures.paths.models : [];
  if (models.includes(a) && models.includes(b)) {
    showPath(view.dataset, view.metric);
    markPair(models.indexOf(a), models.indexOf(b));
    link("see its curve", "#paths");
  }
  if (at && runs[k]) link("its run in MLflow", at.replace("{run}", runs[k]));
  else if (runs[k]) {
    parts.push("; its run in MLflow is ", code(runs[k]));
    if (command) parts.push(", which is shown by ", code(command));
  }
  element("readout-matrix").replaceChildren(...parts);
};
