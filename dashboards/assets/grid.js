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
  const state = (code, muted) =>
    code ? h("span", { className: `state state-${code.toLowerCase()}` }, muted ? `Muted, ${noc.say("state", code).toLowerCase()}` : noc.say("state", code)) : null;
  const when = (at, row) =>
    h("span", { className: "num", title: noc.exactly(at, zone(row)) }, noc.ago(at));

  cells.Who = ({ data }) =>
    h("span", { className: "cell-two" },
      h("span", { className: "cell-first" }, data.who || data.where || "Whole company"),
      h("span", { className: "cell-second" }, data.who ? data.where : noc.say("kind", data.kind)));

  cells.What = ({ data }) =>
    h("span", { className: "cell-two", title: data.what },
      h("span", { className: "cell-title" }, h("span", null, data.title),
        data.score == null ? null : h("span", { className: "cell-score", title: "Fraud score, 0 to 1" }, Number(data.score).toFixed(2))),
      h("span", { className: "cell-second" }, data.what));

  cells.Severity = ({ data }) => severity(data.severity);
  cells.State = ({ data }) => state(data.state, data.muted);
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
    if (!data.id.startsWith("alert:") || data.state !== "NEW" || !operate) return null;
    return h("button", {
      className: "btn btn-small",
      disabled: Boolean(data.pending),
      onClick: (event) => { event.stopPropagation(); noc.act(data.id, "acknowledge"); },
    }, "Acknowledge");
  };

  // One column for narrow screens.
  cells.Card = ({ data }) =>
    h("div", { className: "card-cell" },
      h("span", { className: "cell-first" }, data.who || data.where || "Whole company"),
      when(data.at, data),
      h("span", { className: "card-what" }, [data.title, data.what].filter(Boolean).join(" · ")),
      severity(data.severity), state(data.state, data.muted));

  functions.criticalRow = (data) => Boolean(data && data.severity === "CRITICAL" && !data.muted);
  functions.freshRow = (data) => Boolean(data && data.fresh && Date.now() - data.fresh < 2400);

  noc.grid = {
    // Columns for the width there is: all of them, or one card a row.
    fit() {
      const narrow = window.matchMedia("(max-width: 760px)").matches;
      document.querySelectorAll(".noc-grid[id]").forEach((element) => {
        const api = gridApi(element.id);
        if (!api) {
          clearTimeout(noc.grid.timer);
          noc.grid.timer = setTimeout(noc.grid.fit, 60);
          return;
        }
        api.setColumnsVisible(["card"], narrow);
        const others = api.getColumns().map((column) => column.getColId()).filter((id) => id !== "card");
        api.setColumnsVisible(others, !narrow);
        api.setGridOption("rowHeight", narrow ? 96 : noc.grid.height());
        api.setGridOption("headerHeight", narrow ? 0 : 34);
        api.resetRowHeights();
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
    if (params.event.key === "a" && params.data.state === "NEW" && noc.config.may_operate) noc.act(params.data.id, "acknowledge");
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
