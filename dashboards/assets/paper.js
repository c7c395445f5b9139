// What goes to the printer: tables with all their rows, since a grid draws those on the screen alone;
// charts as wide as the paper, and not cut where it ends; and a line that says of when all this is.
(function () {
  const noc = (window.noc = window.noc || {});
  const MOST = 500; // Rows of a table; the CSV has the others.
  const made = [];

  const when = (at, row) => (at ? noc.onPaper(at, ((noc.config.sites || {})[row.site_id] || {}).timezone) : "—");
  const TEXTS = {
    who: (row) => [row.who || row.where || "Whole company", row.who ? row.where : noc.say("kind", row.kind)],
    what: (row) => [[row.title, row.score == null ? null : Number(row.score).toFixed(2)].filter(Boolean).join(" "), row.what],
    severity: (row) => [noc.say("severity", row.severity)],
    at: (row) => [when(row.at, row)],
    state: (row) => [noc.say("state", row.state), row.muted ? "muted" : null],
    owner: (row) => [row.owner || "Nobody"],
    due: (row) => (row.due && row.sla && row.sla !== "none" ? [noc.say("sla", row.sla), when(row.due, row)] : ["—"]),
    sure: (row) => [row.sure == null ? "—" : Number(row.sure).toFixed(2)],
  };

  const element = (name, text) => Object.assign(document.createElement(name), text === undefined ? {} : { textContent: text });

  function cell(column, row) {
    const { colId, field } = column.getColDef();
    const value = row[field];
    const lines = TEXTS[colId] ? TEXTS[colId](row) : [value === null || value === undefined || value === "" ? "—" : value];
    const box = element("td");
    lines.filter(Boolean).forEach((line) => box.append(element("div", line)));
    return box;
  }

  function table(grid) {
    const api = noc.grid.api(grid.id);
    if (!api) return;
    const columns = api.getColumns().filter((column) => column.getColDef().headerName);
    const rows = [];
    api.forEachNodeAfterFilterAndSort(({ data }) => data && data.kind !== "gap" && rows.push(data));
    const paper = Object.assign(element("table"), { className: "paper" });
    const more = document.getElementById(grid.id.replace(/-grid$/, "-more"));
    const older = more && !more.hidden;
    if (rows.length > MOST || older) {
      const shown = Math.min(MOST, rows.length);
      paper.append(element("caption", `The first ${shown} rows. ${older ? "There are older ones that the page had not loaded." : `The CSV has all ${rows.length}.`}`));
    }
    const head = element("tr");
    columns.forEach((column) => head.append(element("th", column.getColDef().headerName)));
    paper.append(element("thead"), element("tbody"));
    paper.tHead.append(head);
    rows.slice(0, MOST).forEach((row) => {
      const line = element("tr");
      line.append(...columns.map((column) => cell(column, row)));
      paper.tBodies[0].append(line);
    });
    grid.before(paper);
    made.push(paper);
  }

  function chart(plot) {
    const { width, height } = plot._fullLayout || {};
    if (!width || !height) return;
    plot.classList.add("drawn");
    plot.style.setProperty("--drawn", `${width} / ${height}`);
    plot.querySelectorAll(".main-svg").forEach((svg) => svg.setAttribute("viewBox", `0 0 ${width} ${height}`));
  }

  function line() {
    const words = [".brand-tenant", ".account-name"].map((name) => (document.querySelector(name) || {}).textContent);
    const paper = Object.assign(element("p", [words[0], noc.onPaper(noc.now()), words[1]].filter(Boolean).join(" · ")), { className: "paper" });
    document.querySelector(".top").append(paper);
    made.push(paper);
  }

  window.addEventListener("beforeprint", () => {
    if (!document.querySelector(".top")) return;
    clear();
    line();
    document.querySelectorAll("#page .noc-grid[id]").forEach(table);
    document.querySelectorAll("#page .js-plotly-plot").forEach(chart);
  });

  function clear() {
    made.splice(0).forEach((paper) => paper.remove());
    document.querySelectorAll("#page .drawn").forEach((plot) => {
      plot.classList.remove("drawn");
      plot.querySelectorAll(".main-svg").forEach((svg) => svg.removeAttribute("viewBox"));
    });
  }
  window.addEventListener("afterprint", clear);
})();
