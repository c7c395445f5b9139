// The fraud heatmap: a chosen cell goes to the address; names and scale of the map at each zoom.
(function () {
  const noc = (window.noc = window.noc || {});
  const none = () => window.dash_clientside.no_update;
  const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

  // "Tue 02:00" is hour 26 of the week; a date stays one.
  const place = (label) => (/^\d{4}-/.test(label) ? label : DAYS.indexOf(label.slice(0, 3)) * 24 + Number(label.slice(4, 6)));

  noc.cellClicked = function (click) {
    const point = click && click.points && click.points[0];
    return point ? `${point.y}.${place(String(point.x))}` : none();
  };

  // A site on the map leads to its cells.
  noc.siteClicked = function (click) {
    const point = click && click.points && click.points[0];
    return point && point.customdata ? [point.customdata[0], "chart"] : [none(), none()];
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-cell]");
    if (!button) return;
    const here = document.getElementById("drill");
    window.dash_clientside.set_props("heatmap-at", { value: button.dataset.cell });
    if (here) noc.reveal();
  });

  // On a phone the names of sites leave room for the cells: they are cut, and whole when one is touched.
  const NARROW = window.matchMedia("screen and (max-width: 760px)");
  const MOST = 13;
  const cut = (name) => (name.length > MOST ? `${name.slice(0, MOST - 1).trimEnd()}…` : name);
  const ends = (name) => (name.length > MOST ? `${name.slice(0, 5).trimEnd()}…${name.slice(6 - MOST).trimStart()}` : name);

  // Two sites of one company often begin alike: then their ends tell them apart.
  function shortened(names) {
    const first = names.map(cut);
    return names.map((name, at) => (first.indexOf(first[at]) === first.lastIndexOf(first[at]) ? first[at] : ends(name)));
  }

  function fitNames() {
    const plot = document.querySelector("#heatmap-graph .js-plotly-plot");
    if (!plot || !plot.layout || !plot.layout.yaxis) return false;
    const axis = plot.layout.yaxis;
    const whole = axis.whole || Array.from(axis.ticktext || []);
    const wanted = NARROW.matches ? shortened(whole) : whole;
    axis.whole = whole;
    if (wanted.some((name, at) => name !== axis.ticktext[at])) window.Plotly.relayout(plot, { "yaxis.ticktext": wanted });
    return true;
  }

  noc.heatmapDrawn = function (_figure, tries = 0) {
    if (!fitNames() && tries < 40) setTimeout(() => noc.heatmapDrawn(null, tries + 1), 50);
    return none();
  };

  NARROW.addEventListener("change", fitNames);

  const KM_A_DEGREE = 111.32;
  const BAR = 140; // Pixels that the scale bar has at most.

  function bar(plot) {
    const { _size: size, xaxis, yaxis } = plot._fullLayout;
    const north = (yaxis.range[0] + yaxis.range[1]) / 2;
    const kmPixel = ((xaxis.range[1] - xaxis.range[0]) / size.w) * KM_A_DEGREE * Math.max(Math.cos((north * Math.PI) / 180), 0.01);
    const most = kmPixel * BAR;
    const ten = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((n) => n * ten).find((n) => n <= most);
    const share = length / kmPixel / size.w;
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--text").trim();
    const end = 1 - 16 / size.w;
    const y = 16 / size.h;
    return {
      shapes: [{ type: "line", xref: "paper", yref: "paper", x0: end - share, x1: end, y0: y, y1: y, line: { width: 3, color: colour } }],
      annotations: [{
        xref: "paper", yref: "paper", x: end - share / 2, y, yanchor: "bottom", yshift: 2, showarrow: false, font: { color: colour },
        text: length >= 1 ? `${length.toLocaleString("en")} km` : `${Math.round(length * 1000)} m`,
      }],
    };
  }

  // The names that fit, those of the first sites first; none over another or over a marker.
  function names(plot) {
    const { xaxis, yaxis, _size: size } = plot._fullLayout;
    const taken = [];
    const free = (box) => taken.every((other) => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
    const traces = plot.data.map((trace, index) => [trace, index]).filter(([trace]) => trace.customdata).reverse();
    const listed = (values) => (values && values.length !== undefined ? Array.from(values) : []);
    const points = traces.flatMap(([trace, index]) =>
      listed(plot._fullData[index].x).map((x, at) => {
        const left = xaxis.d2p(x);
        const top = yaxis.d2p(plot._fullData[index].y[at]);
        const reach = listed(plot._fullData[index].marker.size)[at] / 2;
        return { index, at, left, top, reach, name: trace.customdata[at][1] };
      }));
    points.forEach(({ left, top, reach }) => taken.push([left - reach, top - reach, left + reach, top + reach]));
    const texts = Object.fromEntries(traces.map(([trace, index]) => [index, trace.customdata.map(() => "")]));
    const places = Object.fromEntries(traces.map(([trace, index]) => [index, trace.customdata.map(() => "middle right")]));
    for (const { index, at, left, top, reach, name } of points) {
      const short = name.length > 28 ? `${name.slice(0, 27)}…` : name;
      const width = short.length * 6.8;
      const sides = [["middle right", left + reach + 2], ["middle left", left - reach - 2 - width]];
      for (const [side, start] of sides) {
        const box = [start, top - 8, start + width, top + 8];
        const inside = left >= 0 && left <= size.w && top >= 0 && top <= size.h && box[0] >= 0 && box[2] <= size.w;
        if (inside && !texts[index][at] && free(box)) {
          texts[index][at] = short;
          places[index][at] = side;
          taken.push(box);
        }
      }
    }
    return [Object.values(texts), Object.values(places), Object.keys(texts).map(Number)];
  }

  const mapPlot = () => document.querySelector("#heatmap-map .js-plotly-plot");

  function annotate() {
    const plot = mapPlot();
    if (!plot || !plot._fullLayout || !plot._fullLayout.xaxis) return;
    const [texts, places, traces] = names(plot);
    window.Plotly.update(plot, { text: texts, textposition: places }, bar(plot), traces);
  }

  noc.mapDrawn = function (_figure, tries = 0) {
    const plot = mapPlot();
    if (!plot || !plot._fullLayout || !plot._fullLayout.xaxis) {
      if (tries < 40) setTimeout(() => noc.mapDrawn(null, tries + 1), 50);
      return none();
    }
    if (!plot.dataset.named) {
      plot.dataset.named = "yes";
      plot.on("plotly_relayout", () => setTimeout(annotate, 0));
    }
    annotate();
    return none();
  };

  window.addEventListener("resize", () => setTimeout(annotate, 300));
})();
