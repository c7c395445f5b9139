// Acting on an alert from its row: shown at once, confirmed by the log, undone by one click.
(function () {
  const noc = (window.noc = window.noc || {});
  let number = 0;

  noc.act = function (id, action) {
    const row = noc.rows.get(id);
    if (!row || row.pending) return;
    noc.rows.set(id, { pending: row.state, state: action === "acknowledge" ? "ACKNOWLEDGED" : "NEW" });
    number += 1;
    window.dash_clientside.set_props("feed-action", { data: { id, action, number } });
  };

  // The answer of the callback. The state itself comes over the feed, for everybody alike.
  noc.acted = function (answer) {
    if (!answer) return window.dash_clientside.no_update;
    const row = noc.rows.get(answer.id);
    if (!answer.ok) {
      if (row && row.pending) noc.rows.set(answer.id, { state: row.pending, pending: null });
      noc.toast(answer.words, { bad: true });
      return window.dash_clientside.no_update;
    }
    if (row) noc.rows.set(answer.id, { state: answer.state, pending: null });
    noc.toast(answer.words, answer.undo ? { undo: () => noc.act(answer.id, "undo") } : {});
    return window.dash_clientside.no_update;
  };

  // A callback that failed altogether: put back what was shown too early.
  noc.failedAction = function () {
    noc.rows.all().filter((row) => row.pending).forEach((row) => {
      noc.rows.set(row.id, { state: row.pending, pending: null });
    });
    noc.toast("That did not reach the server. Try again.", { bad: true });
  };

  // Before the page stands, there is no place for messages yet.
  function atStart() {
    const area = document.createElement("div");
    area.className = "toasts";
    area.setAttribute("role", "alert");
    document.body.append(area);
    return area;
  }

  noc.toast = function (words, { undo, bad } = {}) {
    const area = document.getElementById("toasts") || atStart();
    const toast = document.createElement("div");
    toast.className = bad ? "toast toast-bad" : "toast";
    const text = document.createElement("span");
    text.textContent = words;
    toast.append(text);
    if (undo) {
      const button = document.createElement("button");
      button.className = "text-btn";
      button.textContent = "Undo";
      button.onclick = () => { toast.remove(); undo(); };
      toast.append(button);
    }
    area.append(toast);
    setTimeout(() => toast.remove(), undo ? 10000 : 5000);
  };
})();
