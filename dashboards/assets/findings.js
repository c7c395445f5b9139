// Findings: the matrix chooses, rows are acted on one by one or together, from the keyboard too.
(function () {
  const noc = (window.noc = window.noc || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const h = (...args) => window.React.createElement(...args);
  const none = () => window.dash_clientside.no_update;
  const byId = (name) => document.getElementById(name);
  const set = (name, props) => window.dash_clientside.set_props(name, props);
  const state = { chosen: [], outcome: null, sure: false, number: 0 };

  const operates = () => Boolean(noc.config && noc.config.may_operate);

  function grid() {
    try {
      return byId("findings-grid") ? window.dash_ag_grid.getApi("findings-grid") : null;
    } catch (error) {
      return null; // Not mounted yet.
    }
  }

  cells.FindingAct = ({ data }) => {
    if (!operates() || data.state !== "NEW") return data.outcome ? h("span", { className: "muted" }, data.outcome) : null;
    return h("button", {
      className: "btn btn-small", disabled: Boolean(data.pending), title: "Acknowledge (a)",
      onClick: (event) => { event.stopPropagation(); acknowledge([data]); },
    }, "Acknowledge");
  };

  cells.FindingTicket = ({ data, value }) =>
    value
      ? h("button", { className: "text-btn num", onClick: (event) => { event.stopPropagation(); noc.drawer.open(`ticket:${data.ticket_id}`); } }, value)
      : h("span", { className: "muted" }, "—");

  functions.keyInFindings = function (params) {
    if (!params.data || !params.event) return;
    if (params.event.target.closest("button, input")) return;
    if (params.event.key === "Enter") noc.drawer.open(params.data.id);
    if (!operates()) return;
    const rows = state.chosen.length ? state.chosen : [params.data];
    if (params.event.key === "a") acknowledge(rows);
    if (params.event.key === "r") {
      if (!state.chosen.length) params.node.setSelected(true);
      setTimeout(() => { const field = byId("findings-outcome"); if (field) field.focus(); }, 60);
    }
  };

  function send(rows, action, resolution) {
    const note = byId("findings-note");
    state.number += 1;
    set("findings-wanted", {
      data: {
        ids: rows.map((row) => Number(row.id.split(":")[1])), action, resolution: resolution || null,
        note: action === "resolve" && note ? note.value : null, number: state.number,
      },
    });
  }

  // Shown at once; the answer says how each finding stands, and puts back what was not so.
  function acknowledge(rows) {
    const fresh = rows.filter((row) => row.state === "NEW");
    if (!fresh.length) return noc.toast("Nothing of this is new.");
    fresh.forEach((row) => change(row.id, { state: "ACKNOWLEDGED", pending: "NEW" }));
    return send(fresh, "acknowledge");
  }

  function change(id, values) {
    const api = grid();
    const node = api && api.getRowNode(id);
    if (node) node.setData({ ...node.data, ...values });
  }

  noc.findingsActed = function (answer) {
    const api = grid();
    if (!answer) return none();
    if (api) {
      api.forEachNode((node) => {
        const now = answer.states[node.data.id];
        if (now) node.setData({ ...node.data, state: now, pending: null, outcome: now === "RESOLVED" ? node.data.outcome : "" });
        else if (node.data.pending) node.setData({ ...node.data, state: node.data.pending, pending: null });
      });
      api.deselectAll();
    }
    if (answer.ok && byId("findings-note")) set("findings-note", { value: "" });
    const undo = answer.undo.length ? () => send(answer.undo.map((id) => ({ id })), "undo") : null;
    noc.toast(answer.words, { bad: !answer.ok, undo });
    refresh();
    return none();
  };

  let waiting = null;
  function refresh() {
    if (waiting) return;
    waiting = setTimeout(() => {
      waiting = null;
      if (byId("findings-summary")) set("findings-changed", { data: Date.now() });
    }, 400);
  }

  noc.findingsChosen = function (rows) {
    state.chosen = rows || [];
    state.sure = false;
    paint();
    return none();
  };

  noc.findingsOutcome = function (value) {
    state.outcome = value;
    state.sure = false;
    paint();
    return none();
  };

  const many = (n) => `${n} ${n === 1 ? "finding" : "findings"}`;

  function paint() {
    const bar = byId("findings-bulk");
    if (!bar) return;
    const n = state.chosen.length;
    bar.hidden = n === 0;
    byId("findings-chosen").textContent = `${many(n)} chosen`;
    const press = byId("findings-resolve");
    press.textContent = state.sure ? `Yes, resolve ${n}` : "Resolve";
    press.className = state.sure ? "btn btn-primary" : "btn";
    byId("findings-means").textContent = means(n);
  }

  // What will happen, before it does.
  function means(n) {
    if (!state.outcome) return state.sure ? "Choose the outcome first." : "";
    const name = noc.say("resolution", state.outcome).toLowerCase();
    const false_ = state.outcome === "FALSE_POSITIVE";
    const also = false_ ? " Their alerts are resolved with them, and a ticket that no other finding keeps open." : "";
    const told = `${many(n)} will be resolved as ${name}.${also} They can be reopened.`;
    return state.sure || false_ ? told : "";
  }

  // A chosen count, type or site of the matrix is the filter; chosen again it is let go.
  function choose(button) {
    const { kind, site } = button.dataset;
    const again = button.getAttribute("aria-pressed") === "true";
    if (button.classList.contains("matrix-count")) {
      set("findings-type", { value: again ? null : kind });
      set("findings-site", { value: again ? null : site || null });
    } else if (kind) set("findings-type", { value: again ? null : kind });
    else set("findings-site", { value: again ? null : site || null });
  }

  document.addEventListener("click", (event) => {
    const cell = event.target.closest(".matrix button");
    if (cell) return choose(cell);
    const button = event.target.closest("#findings-bulk button");
    if (!button) return undefined;
    if (button.id === "findings-acknowledge") acknowledge(state.chosen);
    if (button.id === "findings-none") grid().deselectAll();
    if (button.id === "findings-resolve") {
      if (state.sure && state.outcome) return send(state.chosen, "resolve", state.outcome);
      state.sure = true;
      paint();
      if (!state.outcome) { state.sure = false; byId("findings-outcome").focus(); }
    }
    return undefined;
  });

  // What others do with a finding shows in its row, what is new in the counts.
  let listening = false;
  noc.findingsListen = function () {
    if (listening || !noc.drawer) return;
    listening = true;
    const before = noc.drawer.changed;
    noc.drawer.changed = function (id) {
      before(id);
      if (!id.startsWith("finding:") || !byId("findings-summary")) return;
      const told = noc.rows.get(id);
      if (told) change(id, { state: told.state });
      refresh();
    };
  };
  document.addEventListener("DOMContentLoaded", noc.findingsListen);
  if (document.readyState !== "loading") setTimeout(noc.findingsListen, 0);
})();
