// How cells look, and what keys do in the tables.
(function () {
  const noc = (window.noc = window.noc || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const h = (...args) => window.React.createElement(...args);
  const zone = (row) => ((noc.config && noc.config.sites[row.site_id]) || {}).timezone;

  const severity = (code) =>
    h("span", { className: `sev sev-${(code || "info").toLowerCase()}` },
      h("i", { className: "sev-mark", "aria-hidden": true }), noc.say("severity", code));
  const lookers = (names) => !names || !names.length ? null :
    h("span", { className: "lookers", title: noc.presence.words(names) },
      names.slice(0, 3).map((name, n) => h("span", { className: "looker", key: n, "aria-hidden": true }, noc.presence.initials(name))),
      h("span", { className: "unseen" }, noc.presence.words(names)));
  const state = (code, muted) =>
    code ? h("span", { className: `state state-${code.toLowerCase()}` }, muted ? `Muted, ${noc.say("state", code).toLowerCase()}` : noc.say("state", code)) : null;
  const when = (at, row) =>
    h("span", { className: "num", title: noc.exactly(at, zone(row)) }, noc.ago(at));

  cells.Who = ({ data }) =>
    h("span", { className: "cell-two cell-who" }, lookers(data.looking),
      h("span", { className: "cell-first" }, data.who || data.where || "Whole company"),
      h("span", { className: "cell-second" }, data.who ? data.where : noc.say("kind", data.kind)));

  cells.What = ({ data }) =>
    h("span", { className: "cell-two", title: data.what },
      h("span", { className: "cell-title" }, h("span", null, data.title),
        data.score == null ? null : h("span", { className: "cell-score", title: "Fraud score, 0 to 1" }, Number(data.score).toFixed(2))),
      h("span", { className: "cell-second" }, data.what));

  cells.Severity = ({ data }) => severity(data.severity);
  cells.State = ({ data }) => {
    const name = data.assignee_id && data.state !== "RESOLVED" && data.id.startsWith("alert:") && noc.person(data.assignee_id);
    if (!name) return state(data.state, data.muted);
    return h("span", { className: "cell-two", title: `With ${name}` }, state(data.state, data.muted), h("span", { className: "cell-second" }, `with ${name}`));
  };
  cells.When = ({ data, value }) => (value ? when(value, data) : h("span", { className: "muted" }, "—"));

  cells.Due = ({ data, value }) => {
    if (!value || !data.sla || data.sla === "none") return h("span", { className: "muted" }, "—");
    const waits = data.sla === "paused" ? `${noc.span(data.left)} left` : noc.ago(value);
    return h("span", { className: "cell-two", title: noc.exactly(value, zone(data)) },
      h("span", { className: `cell-first sla sla-${data.sla}` }, noc.say("sla", data.sla)),
      h("span", { className: "cell-second num" }, waits));
  };

  cells.Owner = ({ value }) => h("span", { className: value ? "" : "muted" }, value || "Nobody");

  cells.Actions = ({ data }) => {
    const operate = noc.config && noc.config.may_operate;
    const acknowledged = data.state === "ACKNOWLEDGED" && !data.assignee_id;
    if (!data.id.startsWith("alert:") || !operate || (data.state !== "NEW" && !acknowledged)) return null;
    const button = (action, label) => h("button", {
      className: "btn btn-small", disabled: Boolean(data.pending), tabIndex: -1,
      onClick: (event) => { event.stopPropagation(); noc.act([data.id], action); },
    }, label);
    return h("span", { className: "cell-actions" }, acknowledged ? null : button("acknowledge", "Acknowledge"), button("take", "Take"));
  };

  cells.Gap = ({ data }) => h("div", { className: "gap-line", role: "note" }, h("span", null, data.title));

  // One column for narrow screens.
  cells.Card = ({ data }) =>
    h("div", { className: "card-cell" },
      h("span", { className: "cell-first" }, data.who || data.where || "Whole company"),
      when(data.at, data), lookers(data.looking),
      h("span", { className: "card-what" }, [data.title, data.what].filter(Boolean).join(" · ")),
      severity(data.severity), state(data.state, data.muted));

  functions.criticalRow = (data) => Boolean(data && data.severity === "CRITICAL" && !data.muted);
  functions.doneRow = (data) => Boolean(data && data.kind !== "gap" && noc.filters && data.state && !data.muted && !noc.filters.isOpen(data));
  functions.currentRow = (data) => Boolean(data && noc.table && data.id === noc.table.current);
  functions.lookedRow = (data) => Boolean(data && data.looking);
  functions.gapRow = ({ rowNode }) => Boolean(rowNode && rowNode.data && rowNode.data.kind === "gap");
  functions.alertRow = ({ data }) => Boolean(data && data.id.startsWith("alert:"));
  functions.liveHeight = ({ data }) => (data && data.kind === "gap" ? 26 : undefined);
  functions.freshRow = (data) => Boolean(data && data.fresh && Date.now() - data.fresh < 2400);

  noc.grid = {
    // Columns for the width there is: all of them, or one card a row.
    fit() {
      const narrow = window.matchMedia("(max-width: 760px)").matches;
      document.querySelectorAll(".noc-grid[id]").forEach((element) => {
        if (!element.clientWidth) {
          delete element.dataset.fitted; // Hidden while there is nothing to show; fitted when it appears.
          return;
        }
        const api = gridApi(element.id);
        if (!api) {
          clearTimeout(noc.grid.timer);
          noc.grid.timer = setTimeout(noc.grid.fit, 60);
          return;
        }
        api.setColumnsVisible(["card"], narrow);
        const kept = ["card", "ag-Grid-SelectionColumn"];
        const others = api.getColumns().map((column) => column.getColId()).filter((id) => !kept.includes(id));
        api.setColumnsVisible(others, !narrow);
        api.setGridOption("rowHeight", narrow ? 96 : noc.grid.height());
        api.setGridOption("headerHeight", narrow ? 0 : 34);
        api.resetRowHeights();
        if (element.id === "live-grid") noc.notice.mark();
        api.sizeColumnsToFit();
        element.dataset.fitted = "yes";
      });
    },
    height: () => (window.localStorage.getItem("noc-density") === "compact" ? 38 : 50),
  };

  noc.fitted = function () {
    setTimeout(fitWhenThere, 0);
    return window.dash_clientside.no_update;
  };

  // The grid's own script may still be on its way when its place is made.
  function fitWhenThere(tries = 60) {
    if (tries === 0 || document.querySelector(".noc-grid[id]")) noc.grid.fit();
    else setTimeout(() => fitWhenThere(tries - 1), 50);
  }

  noc.grid.api = gridApi;
  function gridApi(id) {
    try {
      return window.dash_ag_grid.getApi(id);
    } catch (error) {
      return null; // Not mounted yet.
    }
  }

  functions.openRow = function (params) {
    if (params.data) noc.drawer.open(params.data.id);
  };
  functions.keyInRow = function (params) {
    if (!params.data || !params.event) return;
    if (params.event.key === "Enter") noc.drawer.open(params.data.id);
    if (params.event.key === "a" && params.data.state === "NEW" && noc.config.may_operate) noc.act([params.data.id], "acknowledge");
  };

  window.addEventListener("resize", () => { clearTimeout(noc.grid.timer); noc.grid.timer = setTimeout(noc.grid.fit, 150); });
  setInterval(() => {
    const api = document.getElementById("live-grid") && gridApi("live-grid");
    if (api) api.refreshCells({ columns: ["at", "card"], force: true });
  }, 10000);

  document.addEventListener("click", (event) => {
    if (!event.target.closest(".density")) return;
    const compact = window.localStorage.getItem("noc-density") === "compact";
    window.localStorage.setItem("noc-density", compact ? "comfortable" : "compact");
    noc.grid.fit();
  });
})();
