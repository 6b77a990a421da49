// ---- curves ----
const faint = (color, share) => {
  const [r, g, b] = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
  return `rgba(${r},${g},${b},${share})`;
};

const pairsOf = (group) => group.pairs
  ?? figures.paths.views[0].groups.find((first) => first.label === group.label).pairs;

// The single curves are unpacked when they are first looked at.
const curvesOf = (group) => {
  if (!group.curves) {
    const [n, points] = group.values.shape;
    const flat = unpack(group.values);
    group.curves = Array.from({ length: n }, (_, k) => flat.slice(k * points, (k + 1) * points));
  }
  return group.curves;
};

const isDrawn = (group, k) => k % group.step === 0;
const drawnCurves = (group) => Math.ceil(group.n_pairs / group.step);

const singles = (group, color, alphas) => {
  const x = [], y = [], text = [];
  curvesOf(group).forEach((curve, k) => {
    if (!isDrawn(group, k)) return;
    const name = pairsOf(group)[k].map((m) => plain(figures.paths.models[m])).join(" to ");
    curve.forEach((value, i) => { x.push(alphas[i]); y.push(value); text.push(name); });
    x.push(null); y.push(null); text.push("");
  });
  const opacity = Math.max(0.02, Math.min(0.45, 1.6 / Math.sqrt(drawnCurves(group))));
  return {
    type: "scatter", mode: "lines", x, y, text, line: { color: faint(color, opacity), width: 1 },
    connectgaps: false, showlegend: false, legendgroup: group.label,
    ...(drawnCurves(group) > 600 ? { hoverinfo: "skip" } : {
      hovertemplate: "%{text}<br>α = %{x:.2g}: %{y:.3g}<extra></extra>",
    }),
  };
};

const band = (group, color, alphas) => ({
  type: "scatter", mode: "lines", fill: "toself", fillcolor: faint(color, 0.22),
  x: [...alphas, ...[...alphas].reverse()], y: [...group.high, ...[...group.low].reverse()],
  line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: group.label,
});

// A rim in the page's colour, so that the median is seen among many single curves.
const halo = (group, alphas) => ({
  type: "scatter", mode: "lines", x: alphas, y: group.median, line: { color: "--paper", width: 6 },
  hoverinfo: "skip", showlegend: false, legendgroup: group.label,
});

const median = (group, color, alphas) => ({
  type: "scatter", mode: "lines+markers", x: alphas, y: group.median,
  line: { color, width: 3 }, marker: { color, size: 6 }, legendgroup: group.label,
  name: `${group.label}, ${group.n_pairs.toLocaleString("en")} ${group.n_pairs === 1 ? "pair" : "pairs"}`,
  hovertemplate: `median ${group.label}<br>α = %{x:.2g}: %{y:.3g}<extra></extra>`,
});

const ensemble = (group, color, alphas) => ({
  type: "scatter", mode: "lines", x: alphas, y: group.ensemble,
  line: { color, width: 2.5, dash: "dash" }, showlegend: false, legendgroup: ENSEMBLE,
  hovertemplate: `median logit ensemble, ${group.label}<br>α = %{x:.2g}: %{y:.3g}<extra></extra>`,
});

// All of them have one entry in the legend, which is of no group's colour.
const ensembleEntry = () => ({
  type: "scatter", mode: "lines", x: [null], y: [null], name: ENSEMBLE, legendgroup: ENSEMBLE,
  line: { color: "--ink", width: 2.5, dash: "dash" }, hoverinfo: "skip",
});

const findCurve = (view) => {
  if (!state.pair) return null;
  const [a, b] = state.pair;
  for (const group of view.groups) {
    const k = pairsOf(group).findIndex(
      ([i, j]) => (i === a && j === b) || (i === b && j === a));
    if (k >= 0) return { ends: pairsOf(group)[k], values: curvesOf(group)[k] };
  }
  return null;
};

const drawPaths = () => {
  const { alphas, views, models } = figures.paths;
  const view = views[state.view];
  const style = getComputedStyle(root);
  const data = [];
  const color = (group) => style.getPropertyValue(group.colour).trim();
  view.groups.forEach((group) => data.push(singles(group, color(group), alphas)));
  view.groups.forEach((group) => {
    if (group.n_pairs > 3) data.push(band(group, color(group), alphas));
  });
  view.groups.forEach((group) => data.push(halo(group, alphas)));
  view.groups.forEach((group) => data.push(median(group, color(group), alphas)));
  const ensembles = view.groups.filter((group) => group.ensemble);
  ensembles.forEach((group) => data.push(ensemble(group, color(group), alphas)));
  if (ensembles.length) data.push(ensembleEntry());
  const curve = findCurve(view);
  if (curve) {
    const name = curve.ends.map((m) => plain(models[m])).join(" to ");
    data.push({
      type: "scatter", mode: "lines+markers", x: alphas, y: curve.values, name,
      line: { color: "--marked", width: 2.5, dash: "dot" },
      marker: { color: "--marked", size: 7, symbol: "circle-open", line: { width: 2 } },
      hovertemplate: `${name}<br>α = %{x:.2g}: %{y:.3g}<extra></extra>`,
    });
  }
  const shapes = [], annotations = [];
  if (view.entropy) {
    shapes.push({
      type: "line", xref: "paper", x0: 0, x1: 1, y0: view.entropy, y1: view.entropy,
      line: { color: "--muted", width: 1, dash: "dash" },
    });
    annotations.push({
      text: `chance, ${view.entropy.toPrecision(3)}`, xref: "paper", x: 1, xanchor: "right",
      y: view.entropy, yanchor: "bottom", showarrow: false, font: { color: "--muted", size: 12 },
    });
  }
  const small = narrow("figure-paths");
  draw("figure-paths", {
    data,
    layout: {
      height: small ? 400 : 480,
      xaxis: { title: { text: "α" }, range: [-0.02, 1.02], zeroline: false },
      yaxis: {
        title: { text: `${plain(view.dataset)} ${view.y_title}` }, zeroline: false,
        rangemode: view.metric === "loss" ? "tozero" : "normal",
      },
      shapes, annotations,
      hovermode: "closest",
      showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      margin: { t: 16, l: 16, r: 12, b: 44 },
    },
  });
  say(view, curve);
};

const say = (view, curve) => {
  const drawn = view.groups.reduce((n, group) => n + drawnCurves(group), 0);
  const total = view.groups.reduce((n, group) => n + group.n_pairs, 0);
  const parts = [];
  if (drawn < total) {
    parts.push(`${drawn.toLocaleString("en")} of ${total.toLocaleString("en")} single curves are drawn here, evenly chosen; medians and bands are over all.`);
  }
  if (state.pair && !curve) {
    parts.push(`${state.pair.map((m) => figures.paths.models[m]).join(" and ")}: no curve is drawn here.`);
  }
  element("readout-paths").textContent = parts.join(" ");
};

const markPair = (a, b) => {
  state.pair = a === null ? null : [Math.min(a, b), Math.max(a, b)];
  element("pair-a").value = state.pair ? String(state.pair[0]) : "";
  element("pair-b").value = state.pair ? String(state.pair[1]) : "";
  drawPaths();
  if (figures.matrix) drawMatrix();
};

// The view of this data set, in the metric where it has that; error is shown as accuracy.
const showPath = (dataset, metric) => {
  const { views } = figures.paths;
  const wanted = metric === "error" ? "accuracy" : metric;
  const exact = views.findIndex((v) => v.dataset === dataset && v.metric === wanted);
  const near = views.findIndex((v) => v.dataset === dataset);
  state.view = exact >= 0 ? exact : Math.max(near, 0);
  pathControls();
};

const pathControls = () => {
  const { views, models } = figures.paths;
  const chosen = views[state.view];
  const show = (dataset, metric) => {
    showPath(dataset, metric);
    drawPaths();
  };
  const datasets = [...new Set(views.map((v) => v.dataset))];
  const metrics = [...new Set(views.map((v) => v.metric))];
  choose("path-datasets", datasets, chosen.dataset, (d) => show(d, chosen.metric));
  choose("path-metrics", metrics, chosen.metric, (m) => show(chosen.dataset, m));
  for (const id of ["pair-a", "pair-b"]) {
    const select = element(id);
    if (select.options.length) continue;
    select.add(new Option("no pair", ""));
    models.forEach((name, k) => select.add(new Option(name, String(k))));
    select.addEventListener("change", () => {
      const [a, b] = ["pair-a", "pair-b"].map((other) => element(other).value);
      if (a === "" || b === "" || a === b) {
        if (select.value === "") markPair(null, null);
        return;
      }
      markPair(Number(a), Number(b));
    });
  }
  element("path-controls").hidden = false;
};
