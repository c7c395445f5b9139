// Triage by keyboard: the same keys wherever the focus is, but in fields where somebody writes.
(function () {
  const noc = (window.noc = window.noc || {});
  const grid = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const ACTIONS = { a: "acknowledge", t: "take", g: "assign", s: "snooze", o: "ticket", r: "resolve" };
  const KEYS = [
    ["j k ↓ ↑", "move"], ["Enter", "open"], ["x", "select; Shift and click selects a range"],
    ["a", "acknowledge"], ["t", "take"], ["g", "give to somebody"], ["s", "snooze"],
    ["o", "open a ticket"], ["r", "resolve"], ["u", "take the last one back, while its notice stands"], ["p", "pause or go on"], ["/", "find in the feed"],
    ["?", "these keys"], ["Esc", "close, or clear the selection"],
  ];
  let anchor = null;

  const onPage = () => document.getElementById("live-frame");
  const writes = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], [role=listbox], [role=option]");

  // What the actions are for: the selected rows, else what is open, else where one stands.
  function targets() {
    const selected = onPage() ? noc.table.selected() : [];
    if (selected.length) return selected;
    if (noc.drawer.target) return [noc.drawer.target];
    return onPage() && noc.table.current ? [noc.table.current] : [];
  }

  function step(by) {
    noc.table.move(by);
    if (noc.drawer.target && noc.table.current) noc.drawer.open(noc.table.current);
  }

  function select() {
    const api = noc.table.api();
    const node = api && noc.table.current ? api.getRowNode(noc.table.current) : null;
    if (!node || !node.selectable) return;
    node.setSelected(!node.isSelected());
    anchor = node.data.id;
  }

  function range(node) {
    const api = noc.table.api();
    const from = anchor && api.getRowNode(anchor);
    if (!from || from.rowIndex === null) { anchor = node.data.id; return [node]; }
    const [low, high] = [from.rowIndex, node.rowIndex].sort((a, b) => a - b);
    return Array.from({ length: high - low + 1 }, (_, n) => api.getDisplayedRowAtIndex(low + n));
  }

  noc.showKeys = function () {
    const list = noc.element("dl", { className: "keys" }, ...KEYS.flatMap(([keys, what]) => [
      noc.element("dt", {}, ...keys.split(" ").map((key) => noc.element("kbd", {}, key))),
      noc.element("dd", {}, what),
    ]));
    const close = noc.element("button", { className: "btn", type: "button" }, "Close");
    const dialog = noc.dialog("Keys of the live feed", noc.element("div", {}, list, close));
    close.onclick = () => dialog.close();
    close.focus();
  };

  const PLAIN = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
    x: select, p: () => document.getElementById("live-pause").click(),
    "/": () => document.getElementById("live-text").focus(), "?": noc.showKeys,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || document.getElementById("wall")) return;
    const inText = writes(event.target);
    if (inText) {
      if (event.key === "Escape" && event.target.id === "live-text") event.target.blur();
      return;
    }
    if (!onPage()) return;
    const button = event.target.closest("button, a");
    if (event.key === "Enter" && !button && !noc.drawer.target && noc.table.current) noc.drawer.open(noc.table.current);
    else if (event.key === "Escape" && !noc.drawer.target) noc.table.clear();
    else if (event.key === " " && event.target.closest("#live-grid") && !button) select();
    else if (ACTIONS[event.key]) noc.begin(targets(), ACTIONS[event.key]);
    else if (PLAIN[event.key]) PLAIN[event.key]();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.closest("#live-keys")) noc.showKeys();
  });

  // The grid does not tell of clicks on its checkboxes.
  document.addEventListener("click", (event) => {
    const row = event.target.closest("#live-grid .ag-selection-checkbox") && event.target.closest(".ag-row");
    if (row) anchor = row.getAttribute("row-id");
  }, true);

  // The grid keeps Tab, Home, End and the page keys.
  grid.liveKeys = ({ event }) => !["Tab", "Home", "End", "PageUp", "PageDown"].includes(event.key);

  grid.liveClicked = function ({ data, node, event }) {
    if (!data || data.kind === "gap" || event.target.closest(".ag-selection-checkbox, button")) return;
    if (event.shiftKey && node.selectable) {
      range(node).filter((one) => one && one.selectable).forEach((one) => one.setSelected(true));
      window.getSelection().removeAllRanges();
      return noc.table.go(data.id);
    }
    noc.table.go(data.id);
    noc.drawer.open(data.id);
  };

  grid.liveSelected = function ({ api }) {
    const count = api.getSelectedNodes().length;
    const bar = document.getElementById("live-bulk");
    if (!bar) return;
    bar.hidden = count === 0;
    document.getElementById("live-selected").textContent = count ? `${count} selected` : "";
  };
})();
