"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const element = (id) => document.getElementById(id);
  const CONFIG = {
    displaylogo: false,
    modeBarButtons: [["toImage", "resetScale2d"]],
  };
  const ENSEMBLE = "logit ensemble of the two models";
  const state = { view: 0, pair: null };

  // Figures name colours as CSS variables; here they get their values in the present theme.
  const resolve = (value, style) => {
    if (typeof value === "string") {
      return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    }
    if (Array.isArray(value)) {
      return typeof value[0] === "object" && value[0] !== null && !Array.isArray(value[0])
        ? value.map((item) => resolve(item, style))
        : value;
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
    }, CONFIG);
    return target;
  };

  const narrow = (id) => element(id).clientWidth < 560;
  const clone = (value) => JSON.parse(JSON.stringify(value));
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // ---- barrier matrix ----
  const drawMatrix = () => {
    const figure = clone(figures.matrix);
    const bar = figure.data[0].colorbar;
    const width = element("figure-matrix").clientWidth;
    if (narrow("figure-matrix")) {
      Object.assign(bar, { orientation: "h", y: 1.1, yanchor: "bottom", x: 0.5, len: 1 });
      bar.title.side = "top";
      figure.layout.margin.t = 30;
      figure.layout.height = width + 150;
      const size = { size: 9 };
      figure.layout.xaxis.tickfont = size;
      figure.layout.yaxis.tickfont = size;
      const n = figure.data[0].x.length;
      const step = Math.max(1, Math.ceil(n / 24));
      const ticks = Array.from({ length: Math.ceil(n / step) }, (_, k) => k * step);
      figure.layout.xaxis.tickvals = ticks;
      figure.layout.yaxis.tickvals = ticks;
      figure.layout.xaxis.tickangle = -90;
    } else {
      figure.layout.height = Math.round(width * 0.86);
    }
    if (state.pair) {
      figure.layout.shapes = [...figure.layout.shapes, ...cellFrames(figure.data[0].x)];
    }
    const target = draw("figure-matrix", figure);
    target.removeAllListeners("plotly_click");
    target.on("plotly_click", onCell);
  };

  // The two cells of the marked pair get a frame.
  const cellFrames = (names) => {
    const [i, j] = state.pair.map((k) => names.indexOf(plain(figures.paths.models[k])));
    return [[i, j], [j, i]].map(([x, y]) => ({
      type: "rect", xref: "x", yref: "y", x0: x - 0.5, x1: x + 0.5, y0: y - 0.5, y1: y + 0.5,
      line: { color: "#ff3b3b", width: 3 }, fillcolor: "rgba(0,0,0,0)",
    }));
  };

  // ---- curves ----
  const faint = (color, share) => {
    const [r, g, b] = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
    return `rgba(${r},${g},${b},${share})`;
  };

  const singles = (group, color, alphas) => {
    const x = [], y = [], text = [];
    group.values.forEach((curve, k) => {
      const name = group.pairs[k].map((m) => plain(figures.paths.models[m])).join(" to ");
      curve.forEach((value, i) => { x.push(alphas[i]); y.push(value); text.push(name); });
      x.push(null); y.push(null); text.push("");
    });
    const opacity = Math.max(0.02, Math.min(0.45, 1.6 / Math.sqrt(group.values.length)));
    return {
      type: "scatter", mode: "lines", x, y, text, line: { color: faint(color, opacity), width: 1 },
      connectgaps: false, showlegend: false, legendgroup: group.label,
      ...(group.values.length > 600 ? { hoverinfo: "skip" } : {
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
      const k = group.pairs.findIndex(
        ([i, j]) => (i === a && j === b) || (i === b && j === a));
      if (k >= 0) return { ends: group.pairs[k], values: group.values[k] };
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
    const drawn = view.groups.reduce((n, group) => n + group.values.length, 0);
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

  const button = (text, pressed, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-pressed", String(pressed));
    made.addEventListener("click", action);
    return made;
  };

  const pathControls = () => {
    const { views, models } = figures.paths;
    const chosen = views[state.view];
    const show = (dataset, metric) => {
      const k = views.findIndex((v) => v.dataset === dataset && v.metric === metric);
      state.view = k >= 0 ? k : views.findIndex((v) => v.dataset === dataset);
      pathControls();
      drawPaths();
    };
    const datasets = [...new Set(views.map((v) => v.dataset))];
    const metrics = [...new Set(views.map((v) => v.metric))];
    element("path-datasets").replaceChildren(
      ...datasets.map((d) => button(d, d === chosen.dataset, () => show(d, chosen.metric))));
    element("path-metrics").replaceChildren(
      ...metrics.map((m) => button(m, m === chosen.metric, () => show(chosen.dataset, m))));
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

  const onCell = (event) => {
    const point = event.points[0];
    if (point.x === point.y) return;
    const names = figures.paths ? figures.paths.models : [];
    const [a, b] = [point.y, point.x].map((text) => names.findIndex((n) => plain(n) === text));
    const value = typeof point.z === "number" ? `convexity gap ${Number(point.z.toPrecision(3))} nats` : "not measured";
    if (a >= 0 && b >= 0) {
      markPair(a, b);
      const readout = element("readout-matrix");
      const link = document.createElement("a");
      link.href = "#paths";
      link.textContent = "see its curve";
      readout.replaceChildren(`${names[a]} and ${names[b]}: ${value}, `, link);
    }
  };

  // ---- all figures ----
  const drawAll = () => {
    if (figures.matrix) drawMatrix();
    if (figures.paths) drawPaths();
    for (const [key, kept] of Object.entries(figures)) {
      if (key === "matrix" || key === "paths") continue;
      const figure = clone(kept);
      if (narrow(`figure-${key}`) && figure.layout.yaxis) {
        figure.layout.yaxis.tickfont = { size: 10, ...figure.layout.yaxis.tickfont };
      }
      draw(`figure-${key}`, figure);
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
  addEventListener("beforeprint", () => {
    beforePrint = root.dataset.theme || "system";
    root.dataset.theme = "light";
    root.classList.add("printing");
    drawAll();
  });
  addEventListener("afterprint", () => {
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
    waiting = setTimeout(drawAll, 120);
  });

  if (figures.paths) pathControls();
  drawAll();
})();
