// What of the feed is shown: filters, counts beside them, named views. All of it stands in the address.
(function () {
  const noc = (window.noc = window.noc || {});
  const FIELDS = ["severity", "kind", "open", "with"];
  const DONE = new Set(["RESOLVED", "CLOSED", "CANCELLED", "SHELVED", "FALSE_POSITIVE"]);
  const BUILT_IN = [
    { name: "Everything", filter: {} },
    { name: "Critical now", filter: { severity: ["CRITICAL"], open: ["1"] } },
    { name: "Fraud", filter: { kind: ["fraud"], open: ["1"] } },
    { name: "Mine", filter: { with: ["me"], open: ["1"] } },
    { name: "Unassigned", filter: { with: ["nobody"], open: ["1"] } },
  ];
  const MOST = 12; // Saved views, of at most 40 letters each.
  const state = { severity: new Set(), kind: new Set(), open: new Set(), with: new Set(), site: null, text: "" };
  const filters = (noc.filters = { state });

  const here = () => document.getElementById("live-views");
  const may = (row) => row.id.startsWith("alert:") || row.id.startsWith("ticket:");
  filters.isOpen = (row) => Boolean(row.state) && !DONE.has(row.state) && !row.muted;
  const whose = (row) => (!may(row) ? null : row.assignee_id == null ? "nobody" : row.assignee_id === noc.config.user_id ? "me" : null);

  const TESTS = {
    severity: (row, set) => set.has(row.severity),
    kind: (row, set) => set.has(row.kind),
    open: (row) => filters.isOpen(row),
    with: (row, set) => set.has(whose(row)),
  };

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  function textOf(row) {
    if (row.text === undefined) {
      const parts = [row.who, row.where, row.title, row.what, noc.say("severity", row.severity), noc.say("state", row.state)];
      row.text = folded(parts.filter(Boolean).join(" "));
    }
    return row.text;
  }

  filters.passes = function (row, except, given) {
    const wanted = given || state;
    for (const field of FIELDS) {
      const set = wanted[field];
      if (field !== except && set && set.size && !TESTS[field](row, set)) return false;
    }
    if (wanted.site != null && row.site_id !== wanted.site) return false;
    return !wanted.text || folded(wanted.text).split(/\s+/).every((word) => textOf(row).includes(word));
  };

  filters.any = () => FIELDS.some((field) => state[field].size) || state.site !== null || Boolean(state.text);

  // Counts: of a filter, how many rows it would show beside the others; of a view, how many it shows.
  filters.draw = function (all) {
    if (!here()) return;
    for (const field of FIELDS) {
      const counts = {};
      for (const row of all) {
        if (!filters.passes(row, field)) continue;
        const value = field === "open" ? (filters.isOpen(row) ? "1" : null) : field === "with" ? whose(row) : row[field];
        counts[value] = (counts[value] || 0) + 1;
      }
      document.querySelectorAll(`[data-facet="${field}"]`).forEach((chip) => {
        write(chip.querySelector(".chip-count"), counts[chip.dataset.value] || 0);
        chip.setAttribute("aria-pressed", state[field].has(chip.dataset.value));
      });
    }
    drawViews(all);
  };

  function write(element, value) {
    if (element.textContent !== String(value)) element.textContent = value;
  }

  // Views

  const key = () => `noc-views:${noc.config.tenant_id}:${noc.config.user_id}`;

  filters.saved = function () {
    try {
      const kept = JSON.parse(window.localStorage.getItem(key()) || "[]");
      return Array.isArray(kept) ? kept.filter((view) => view && typeof view.name === "string" && view.filter).slice(0, MOST) : [];
    } catch (error) {
      return []; // Another program's, or cut short: the reader begins anew.
    }
  };

  function keep(views) {
    try {
      window.localStorage.setItem(key(), JSON.stringify(views.slice(-MOST)));
    } catch (error) {
      noc.toast("This browser does not let views be kept.", { bad: true });
    }
    rebuild();
  }

  const plain = () => {
    const filter = {};
    FIELDS.forEach((field) => { if (state[field].size) filter[field] = [...state[field]].sort(); });
    if (state.site !== null) filter.site = state.site;
    if (state.text) filter.text = state.text;
    return filter;
  };
  const same = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
  const sorted = (filter) => [...FIELDS, "site", "text"].map((name) => {
    const value = filter[name];
    return Array.isArray(value) ? [...value].sort() : value === undefined ? null : value;
  });
  const sets = (filter) => ({
    ...Object.fromEntries(FIELDS.map((field) => [field, new Set(filter[field] || [])])),
    site: filter.site === undefined ? null : filter.site, text: filter.text || "",
  });

  let built = null;
  function rebuild() {
    built = null;
    noc.rows.paint(true);
  }

  function build() {
    const box = here();
    box.replaceChildren();
    built = [...BUILT_IN, ...filters.saved().map((view) => ({ ...view, saved: true }))].map((view) => {
      const button = noc.element("button", { className: "view", type: "button" }, view.name);
      const count = noc.element("span", { className: "chip-count" });
      button.append(count);
      button.onclick = () => filters.use(view.filter);
      box.append(button);
      let remove = null;
      if (view.saved) {
        remove = noc.element("button", { className: "view-x", type: "button", title: "Forget this view", ariaLabel: `Forget the view ${view.name}` }, "×");
        remove.onclick = () => keep(filters.saved().filter((other) => other.name !== view.name));
        box.append(remove);
      }
      return { ...view, button, count, remove, sets: sets(view.filter) };
    });
    const save = noc.element("button", { className: "text-btn view-save", type: "button" }, "Save view");
    save.onclick = ask;
    box.append(save);
    built.save = save;
    built.box = box;
  }

  function drawViews(all) {
    if (!built || built.box !== here()) build();
    const now = plain();
    let known = false;
    built.forEach((view) => {
      const chosen = same(view.filter, now);
      known = known || chosen;
      view.button.setAttribute("aria-pressed", chosen);
      if (view.remove) view.remove.hidden = !chosen;
      write(view.count, all.reduce((sum, row) => sum + filters.passes(row, null, view.sets), 0));
    });
    built.save.hidden = known;
  }

  async function ask() {
    const name = await noc.pick.text({ title: "Save these filters as a view", label: "Name", most: 40 });
    if (!name) return;
    if (BUILT_IN.some((view) => view.name === name)) return noc.toast(`“${name}” is there already.`, { bad: true });
    keep([...filters.saved().filter((view) => view.name !== name), { name, filter: plain() }]);
  }

  // Choosing

  filters.use = function (filter) {
    const next = sets(filter);
    FIELDS.forEach((field) => { state[field] = next[field]; });
    state.site = next.site;
    state.text = next.text;
    window.dash_clientside.set_props("live-site", { value: next.site === null ? null : String(next.site) });
    window.dash_clientside.set_props("live-text", { value: next.text });
    changed();
  };

  function changed() {
    if (here()) {
      const query = new URLSearchParams(window.location.search);
      [...FIELDS, "site", "q"].forEach((name) => query.delete(name));
      const filter = plain();
      FIELDS.forEach((field) => { if (filter[field]) query.set(field, filter[field].join(",")); });
      if (filter.site !== undefined) query.set("site", filter.site);
      if (filter.text) query.set("q", filter.text);
      const text = query.toString().replaceAll("%2C", ",");
      noc.replaceAddress(window.location.pathname + (text ? `?${text}` : ""));
    }
    noc.rows.paint(true);
  }

  // The filters that the address names; what it names wrongly is left out.
  filters.read = function () {
    const query = new URLSearchParams(window.location.search);
    FIELDS.forEach((field) => {
      const offered = new Set([...document.querySelectorAll(`[data-facet="${field}"]`)].map((chip) => chip.dataset.value));
      state[field] = new Set((query.get(field) || "").split(",").filter((value) => offered.has(value)));
    });
    const site = query.get("site");
    state.site = site && noc.config.sites[site] ? Number(site) : null;
    state.text = (query.get("q") || "").slice(0, 100);
  };

  noc.filterSite = function (value) {
    const site = value ? Number(value) : null;
    if (site !== state.site) { state.site = site; changed(); }
    return window.dash_clientside.no_update;
  };

  let typing = null;
  noc.filterText = function (value) {
    const text = (value || "").trim();
    clearTimeout(typing);
    if (text !== state.text) typing = setTimeout(() => { state.text = text; changed(); }, 120);
    return window.dash_clientside.no_update;
  };

  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-facet]");
    if (chip) {
      const set = state[chip.dataset.facet];
      if (!set.delete(chip.dataset.value)) set.add(chip.dataset.value);
      changed();
    } else if (event.target.closest("#live-clear")) {
      filters.use({});
    }
  });
})();
