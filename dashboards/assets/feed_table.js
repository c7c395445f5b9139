// The live table: repainted at most three times a second, and only where something has changed.
(function () {
  const noc = (window.noc = window.noc || {});
  const PAINT_MS = 340;
  const rows = noc.rows;
  const table = (noc.table = { current: null, gaps: [] });
  let painting = null;
  let known = null; // What the grid has: its API, the rows by id, and their order.

  rows.paint = function (now) {
    if (now === true) {
      clearTimeout(painting);
      painting = null;
      return draw();
    }
    if (!painting) painting = setTimeout(() => { painting = null; draw(); }, Math.max(PAINT_MS, 3 * cost));
  };

  // What a repaint costs this machine until it is on the screen: a slow one repaints less often, so
  // that it has time for whoever works on it.
  let cost = 0;
  function weigh(began) {
    requestAnimationFrame(() => setTimeout(() => { cost = Math.min(1500, 0.5 * cost + 0.5 * (performance.now() - began)); }, 0));
  }

  function draw() {
    noc.wall.draw();
    const frame = document.getElementById("live-frame");
    if (!frame || !noc.config) return;
    const all = rows.sorted();
    noc.filters.draw(all);
    drawPause();
    if (rows.paused && known && known.box === frame) return;
    rows.fresh = 0;
    const shown = all.filter((row) => noc.filters.passes(row));
    frame.hidden = shown.length === 0;
    document.getElementById("live-table").hidden = false;
    document.getElementById("live-empty").hidden = shown.length > 0;
    const none = all.length === 0;
    document.getElementById("live-none").hidden = !none;
    document.getElementById("live-filtered").hidden = none;
    give(withGaps(shown), frame);
  }

  function drawPause() {
    const pause = document.getElementById("live-pause");
    const text = rows.paused ? (rows.fresh ? `${rows.fresh} new` : "Paused") : "Pause";
    const word = pause.querySelector("span:last-child");
    if (word.textContent !== text) word.textContent = text;
    pause.setAttribute("aria-pressed", rows.paused);
  }

  function withGaps(shown) {
    if (!table.gaps.length || noc.filters.any()) return shown;
    return [...shown, ...table.gaps].sort((a, b) => b.first - a.first || (a.at < b.at ? 1 : -1));
  }

  // New rows come in at the top and changed ones where they are, in one transaction; anything
  // else (another filter, rows that come back) is given whole, and the grid finds what differs.
  function give(shown, box) {
    const api = noc.grid.api("live-grid");
    if (!api) return setTimeout(rows.paint, 60); // The grid's own script is still on its way.
    const element = document.getElementById("live-grid");
    if (!element.dataset.fitted) setTimeout(noc.grid.fit, 0);
    const map = new Map(shown.map((row) => [row.id, row]));
    const began = performance.now();
    if (!known || known.api !== api) {
      api.setGridOption("rowData", shown);
    } else {
      const add = [];
      const update = [];
      let top = true;
      let plain = true;
      for (const row of shown) {
        const before = known.rows.get(row.id);
        if (before) top = false;
        if (!before) { plain = plain && top; add.push(row); } else if (before !== row) update.push(row);
      }
      const remove = [];
      // One that comes in is pointed out; when many do, nothing is by pointing at all of them.
      if (add.length > 3) add.forEach((row) => { row.fresh = 0; });
      for (const [id, row] of known.rows) if (!map.has(id)) remove.push(row);
      if (!plain) api.setGridOption("rowData", shown);
      else if (add.length || update.length || remove.length) api.applyTransaction({ add, update, remove, addIndex: 0 });
      // A cell shows more of its row than the one value by which the grid knows whether it changed.
      const rowNodes = update.map((row) => api.getRowNode(row.id)).filter((node) => node && node.displayed);
      if (rowNodes.length) api.refreshCells({ rowNodes, force: true });
    }
    known = { api, box, rows: map };
    weigh(began);
    table.follow();
  }

  table.api = () => noc.grid.api("live-grid");
  table.selected = () => {
    const api = document.getElementById("live-grid") && table.api();
    return api ? api.getSelectedNodes().map((node) => node.data.id) : [];
  };
  table.clear = () => {
    const api = table.api();
    if (!api) return;
    api.deselectAll();
    // Dash remembers a selection, too, and would bring it back.
    window.dash_clientside.set_props("live-grid", { selectedRows: [] });
  };

  // The row that keys act on is known by its id: rows that come in above it do not change it.
  table.go = function (id, focus) {
    const before = table.current;
    table.current = id;
    mark(before, false);
    mark(id, true);
    const api = table.api();
    const node = api && id ? api.getRowNode(id) : null;
    if (!node || node.rowIndex === null) return;
    api.ensureIndexVisible(node.rowIndex);
    if (focus) api.setFocusedCell(node.rowIndex, firstColumn(api));
    setTimeout(() => mark(id, true), 0);
  };

  const firstColumn = (api) => (api.getAllDisplayedColumns().find((column) => column.getColId() !== "ag-Grid-SelectionColumn") || "who");

  function mark(id, on) {
    if (id) document.querySelectorAll(`#live-grid .ag-row[row-id="${CSS.escape(id)}"]`).forEach((row) => row.classList.toggle("row-current", on));
  }

  table.move = function (step) {
    const api = table.api();
    if (!api) return;
    const count = api.getDisplayedRowCount();
    const node = table.current ? api.getRowNode(table.current) : null;
    let index = node && node.rowIndex !== null ? node.rowIndex : step > 0 ? -1 : count;
    for (index += step; index >= 0 && index < count; index += step) {
      const next = api.getDisplayedRowAtIndex(index);
      if (next && next.data.kind !== "gap") return table.go(next.data.id, !noc.drawer.target);
    }
  };

  // After a repaint the focus of the keyboard goes where its row went.
  table.follow = function () {
    const active = document.activeElement;
    const api = table.api();
    if (!api || !table.current || !active || !active.classList.contains("ag-cell")) return;
    const node = api.getRowNode(table.current);
    const cell = api.getFocusedCell();
    if (node && cell && node.rowIndex !== null && cell.rowIndex !== node.rowIndex) api.setFocusedCell(node.rowIndex, cell.column);
  };

  // The line was cut: a thin row says for how long, and how much has been caught up.
  table.gap = function (seconds, caught, seq, why) {
    const at = new Date(noc.now()).toISOString();
    table.gaps = [...table.gaps.slice(-4), {
      id: `gap:${Date.now()}`, kind: "gap", first: seq + 0.5, at, severity: "INFO",
      title: `${why} ${noc.span(Math.round(seconds))}, ${caught === 1 ? "1 event" : `${caught.toLocaleString("en-GB")} events`} caught up`,
    }];
    rows.paint();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("#live-pause")) {
      rows.paused = !rows.paused;
      rows.paint(true);
    }
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("#live-grid .ag-row");
    const id = row && row.getAttribute("row-id");
    if (id && id !== table.current && !id.startsWith("gap:")) table.go(id);
  });
})();
