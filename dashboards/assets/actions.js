// Acting on alerts, one or many, from rows, keys and the drawer: shown at once, confirmed by the
// log, undone where that can be. One request at a time, so that no answer gets lost.
(function () {
  const noc = (window.noc = window.noc || {});
  const SHOWN = { acknowledge: "ACKNOWLEDGED", take: "ASSIGNED", assign: "ASSIGNED", snooze: "SHELVED", resolve: "RESOLVED" };
  const MOST = 500;
  const queue = [];
  let going = null;
  let number = 0;

  noc.person = (id) => ((noc.config.assignees || []).find((one) => one.id === id) || {}).name;

  noc.act = function (ids, action, more = {}) {
    const able = ids.map((id) => id.startsWith("alert:") && !(noc.rows.get(id) || {}).pending);
    const alerts = ids.filter((_, n) => able[n]).slice(0, MOST);
    if (!alerts.length) return;
    if (more.changes) more = { changes: more.changes.filter((_, n) => able[n]).slice(0, MOST) };
    const before = new Map();
    alerts.forEach((id) => {
      const row = noc.rows.get(id);
      if (!row) return;
      before.set(id, { state: row.state, assignee_id: row.assignee_id, seq: row.seq });
      const change = { pending: row.state || "NEW" };
      if (SHOWN[action]) change.state = SHOWN[action];
      if (action === "take") change.assignee_id = noc.config.user_id;
      if (action === "assign") change.assignee_id = more.assignee;
      noc.rows.set(id, change);
    });
    number += 1;
    queue.push({ wanted: { ids: alerts, action, number, ...more }, before });
    send();
  };

  function send() {
    if (going || !queue.length) return;
    going = queue.shift();
    going.timer = setTimeout(noc.failedAction, 30000);
    window.dash_clientside.set_props("feed-action", { data: going.wanted });
  }

  function done() {
    clearTimeout(going.timer);
    going = null;
    setTimeout(send, 0);
  }

  // What was shown too early is put back, unless the log has told of something newer meanwhile.
  function putBack(id, before) {
    const row = noc.rows.get(id);
    const was = before.get(id);
    if (row && was && row.pending) noc.rows.set(id, { state: was.state, assignee_id: was.assignee_id, pending: null });
  }

  // The answer of the callback. The state itself comes over the feed, for everybody alike.
  noc.acted = function (answer) {
    if (!answer || !going || answer.number !== going.wanted.number) return window.dash_clientside.no_update;
    const { wanted, before } = going;
    const refused = [];
    answer.items.forEach((item) => {
      const row = noc.rows.get(item.id);
      if (!item.ok) {
        refused.push(item);
        return putBack(item.id, before);
      }
      if (row && row.pending) noc.rows.set(item.id, { pending: null, ...(item.state ? { state: item.state, assignee_id: item.assignee_id } : {}) });
    });
    done();
    if (refused.length < answer.items.length) {
      noc.toast(answer.words, { undo: answer.undo && (() => takeBack(answer.undo)), open: answer.ticket });
      if (noc.table && wanted.ids.length > 1) noc.table.clear();
    }
    tellRefused(refused, wanted.ids.length);
    if (wanted.ids.includes(noc.drawer.target)) noc.drawer.changed(noc.drawer.target);
    return window.dash_clientside.no_update;
  };

  const takeBack = (offer) => noc.act(offer.ids, "undo", { changes: offer.changes });

  // What was done elsewhere than here, and how it is taken back: alerts, or a ticket's last change.
  let undone = 0;
  noc.offerUndo = function (offer) {
    if (!offer) return window.dash_clientside.no_update;
    const ticket = () => { undone += 1; window.dash_clientside.set_props("ticket-undo", { data: { ...offer.ticket, number: undone } }); };
    noc.toast(offer.words, { undo: offer.ticket ? ticket : () => takeBack(offer.alerts) });
    return window.dash_clientside.no_update;
  };

  function tellRefused(refused, asked) {
    refused.slice(0, 3).forEach((item) => {
      const row = noc.rows.get(item.id);
      const name = asked > 1 && row ? `${row.title}, ${row.who || row.where || "whole company"}: ` : "";
      noc.toast(name + item.words, { bad: true });
    });
    if (refused.length > 3) noc.toast(`${refused.length - 3} more were refused; their rows show how they are.`, { bad: true });
  }

  // A callback that failed altogether: put back what was shown too early.
  noc.failedAction = function () {
    if (!going) return;
    const { wanted, before } = going;
    wanted.ids.forEach((id) => putBack(id, before));
    done();
    noc.toast("That did not reach the server. Try again.", { bad: true });
  };

  // Actions that first ask something.

  const RESOLUTIONS = ["CONFIRMED", "FALSE_POSITIVE", "FIXED", "DUPLICATE"];
  const many = (ids) => (ids.length === 1 ? "this alert" : `${ids.length} alerts`);
  const ASK = {
    async assign(ids) {
      const sites = new Set(ids.map((id) => (noc.rows.get(id) || {}).site_id).filter((site) => site));
      const able = noc.config.assignees.filter((one) => !one.sites || [...sites].every((site) => one.sites.includes(site)));
      const options = able.map((one) => ({ label: one.name, hint: one.id === noc.config.user_id ? "you" : "", value: one.id }));
      const assignee = await noc.pick({ title: `Give ${many(ids)} to`, options, search: "Find somebody" });
      return assignee === null ? null : { assignee };
    },
    async snooze(ids) {
      const span = await noc.pick({
        title: `Snooze ${many(ids)}`,
        options: [
          { label: "For 1 hour", value: "1h" },
          { label: "For 4 hours", value: "4h" },
          { label: "Until 08:00 at the site", hint: "the next morning there", value: "morning" },
        ],
      });
      return span && { span };
    },
    async resolve(ids) {
      const resolution = await noc.pick({
        title: `Resolve ${many(ids)} as`,
        options: RESOLUTIONS.map((code) => ({ label: noc.say("resolution", code), value: code })),
      });
      return resolution && { resolution };
    },
  };

  noc.begin = async function (ids, action) {
    if (!noc.config.may_operate) return noc.toast("Your role may look, not act.", { bad: true });
    const alerts = ids.filter((id) => id.startsWith("alert:"));
    if (!alerts.length) return noc.toast(ids.length ? "That is done with alerts only." : "Choose an alert first: j and k move, x selects.");
    if (alerts.length > MOST) return noc.toast(`At most ${MOST} at once.`, { bad: true });
    const more = ASK[action] ? await ASK[action](alerts) : {};
    if (more) noc.act(alerts, action, more);
  };

  document.addEventListener("click", (event) => {
    const one = event.target.closest("[data-act]");
    if (one) return noc.begin([one.dataset.target], one.dataset.act);
    const bulk = event.target.closest("[data-do]");
    if (bulk && bulk.dataset.do === "clear") return noc.table.clear();
    if (bulk) noc.begin(noc.table.selected(), bulk.dataset.do);
  });
})();
