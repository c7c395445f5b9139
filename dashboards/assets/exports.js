// Tables as CSV, charts as PNG and CSV, from what is on the page.
(function () {
  const stamp = () => new Date().toISOString().slice(0, 16).replace(/[-:]/g, "");
  // Spreadsheets run a cell that begins like a formula, Japanese ones in wide signs too: it is made text.
  // A number with a sign is none.
  const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;
  const NUMBER = /^[+-]?\d[\d.,]*$/;
  const safe = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return typeof value !== "number" && FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  };
  const quoted = (value) => `"${safe(value).replace(/"/g, '""')}"`;
  const csv = (rows) => `\ufeff${rows.map((row) => row.map(quoted).join(",")).join("\r\n")}\r\n`;

  function save(name, text) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: `${name}-${stamp()}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  function gridRows(id) {
    const api = window.dash_ag_grid.getApi(id);
    const names = [];
    const rows = [];
    api.forEachNodeAfterFilterAndSort(({ data }) => {
      if (!data || data.kind === "gap") return;
      Object.keys(data).forEach((name) => {
        const kept = !["fresh", "pending", "first"].includes(name) && typeof data[name] !== "object";
        if (kept && !names.includes(name)) names.push(name);
      });
      rows.push(data);
    });
    return [names, ...rows.map((row) => names.map((name) => row[name]))];
  }

  const listed = (values) => (values ? Array.from(values) : []);

  // One line a point: the trace's name, x, y, and z, value or text where there are.
  function chartRows(plot) {
    const rows = [["series", "x", "y", "value"]];
    // An axis that names ids by its ticks names them here too.
    const { tickvals, ticktext } = plot._fullLayout.yaxis || {};
    const whole = listed((plot.layout.yaxis || {}).whole || ticktext); // Cut on a phone.
    const named = new Map(listed(tickvals).map((value, at) => [value, whole[at]]));
    for (const trace of plot._fullData) {
      const x = listed(trace.x);
      const y = listed(trace.y).map((value) => named.get(value) || value);
      if (trace.z) {
        listed(trace.z).forEach((line, i) => listed(line).forEach((z, j) => rows.push([trace.name, x[j], y[i], z])));
      } else {
        const count = Math.max(x.length, y.length);
        for (let i = 0; i < count; i += 1) rows.push([trace.name, x[i], y[i], trace.marker && listed(trace.marker.color)[i]]);
      }
    }
    return rows;
  }

  // What a plain table shows; times as they are kept, not relative to now.
  function tableRows(table) {
    const words = (cell) => [...cell.childNodes].map((part) => {
      if (part.nodeType === Node.TEXT_NODE) return part.textContent;
      if (part.nodeName === "TIME") return part.getAttribute("datetime");
      return words(part);
    }).join(" ").replace(/\s+/g, " ").trim();
    return [...table.rows].map((row) => [...row.cells].map(words));
  }

  const plotOf = (id) => document.querySelector(`[id="${CSS.escape(id)}"] .js-plotly-plot`);

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".export");
    if (!button) return;
    const { exportGrid, exportPng, exportCsv, exportTable, exportFile } = button.dataset;
    if (exportTable) save(exportFile, csv(tableRows(document.getElementById(exportTable))));
    if (exportGrid) save(exportFile, csv(gridRows(exportGrid)));
    if (exportCsv) save(exportFile, csv(chartRows(plotOf(exportCsv))));
    if (exportPng) {
      window.Plotly.downloadImage(plotOf(exportPng), { format: "png", scale: 2, filename: `${exportFile}-${stamp()}` });
    }
  });
})();
