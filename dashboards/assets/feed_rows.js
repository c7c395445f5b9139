// What the feed told, one row for each alert, ticket, finding or anomaly, newest first.
(function () {
  const noc = (window.noc = window.noc || {});
  const KEPT = 1000;
  const byId = new Map();
  const rows = (noc.rows = { paused: false, fresh: 0 });
  const PRIORITY = { HIGH: "HIGH", MEDIUM: "MEDIUM", LOW: "LOW" };

  const FRAUD = new Set(["ATTENDANCE_ANOMALY", "ML_FRAUD_PREDICTION"]);

  const types = (f) =>
    (f.anomaly_types && f.anomaly_types.length ? f.anomaly_types : [f.anomaly_type])
      .map((type) => noc.say("anomaly", type)).join(", ");
  const reason = (f) => (Array.isArray(f.evidence) && f.evidence[0]) || `Score ${Number(f.fraud_score).toFixed(2)}`;
  // "[FRAUD ALERT] Meera Joshi - BUDDY_PUNCHING" is for machines; people read "Meera Joshi: shared phone".
  const about = (f) => {
    const text = (f.title || noc.say("category", f.category)).replace(/^\[[A-Z ]+\] /, "");
    const type = f.category === "SECURITY_AUDIT" ? text.split(": ", 1)[0] : "";
    if (type && noc.words && noc.words.finding[type]) return noc.say("finding", type) + text.slice(type.length);
    const at = f.category === "SECURITY_FRAUD" ? text.lastIndexOf(" - ") : -1;
    return at < 0 ? text : `${text.slice(0, at)}: ${noc.say("anomaly", text.slice(at + 3)).toLowerCase()}`;
  };
  const withoutName = (text, name) => (name && text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text);

  const READ = {
    alert: (f) => ({
      id: `alert:${f.alert_id}`, kind: FRAUD.has(f.alert_type) ? "fraud" : "alert",
      who: f.person_name, person_id: f.person_id, title: noc.say("alert", f.alert_type),
      what: withoutName(f.message, f.person_name), severity: f.severity, state: f.status,
      muted: Boolean(f.muted), assignee_id: f.assignee_id,
    }),
    // The anomaly is why its alert was raised: one row, with the finer words.
    anomaly: (f) => ({
      id: f.alert_id ? `alert:${f.alert_id}` : `anomaly:${f.anomaly_id}`, kind: "fraud",
      who: f.person_name, person_id: f.person_id, finer: types(f), score: f.fraud_score,
      title: types(f), severity: f.severity, what: reason(f), state: f.alert_id ? "NEW" : null,
    }),
    finding: (f) => ({
      id: `finding:${f.finding_id}`, who: null, title: f.title || noc.say("finding", f.finding_type),
      what: f.evidence_summary, severity: f.severity, state: f.status,
    }),
    ticket: (f) => ({
      id: `ticket:${f.ticket_id}`, who: `Ticket ${f.ticket_number}`, person_id: f.person_id, title: about(f),
      what: f.assignee ? `With ${f.assignee}` : "With nobody yet", assignee_id: f.assignee_id,
      severity: PRIORITY[f.priority] || "MEDIUM", state: f.new_status,
    }),
    incident: (f) => ({
      id: `incident:${f.incident_id}`, who: f.person_name, person_id: f.person_id, title: "Incident",
      what: (f.alert_ids || []).length === 1 ? "1 related alert" : `${(f.alert_ids || []).length} related alerts`, severity: f.combined_severity, state: f.status,
    }),
  };
  const KIND = {
    alert_created: "alert", alert_updated: "alert", anomaly_detected: "anomaly",
    finding_created: "finding", finding_updated: "finding", ticket_updated: "ticket",
    correlation_identified: "incident", incident_updated: "incident",
  };

  rows.take = function (frames, seeding) {
    let counts = false;
    for (const frame of frames) {
      const kind = KIND[frame.type];
      if (!kind) continue;
      const told = READ[kind](frame);
      const before = byId.get(told.id);
      if (before && before.seq >= frame.seq) continue;
      // What an anomaly told about an alert outlives the alert's next change, and never undoes it.
      const kept = before && before.finer ? { title: before.finer, finer: before.finer, score: before.score } : {};
      if (kind === "anomaly" && before) Object.assign(told, { state: before.state, muted: before.muted, assignee_id: before.assignee_id });
      byId.set(told.id, {
        kind, ...told, ...kept, seq: frame.seq, looking: noc.presence.at(told.id), first: before ? before.first : frame.seq,
        at: before ? before.at : frame.occurred_at || frame.timestamp, site_id: frame.site_id,
        where: frame.site_name || "", fresh: seeding ? 0 : Date.now(), pending: null,
      });
      if (!seeding && !before) rows.fresh += 1;
      if (!seeding) noc.notice(byId.get(told.id), before);
      counts = counts || !seeding;
      if (!seeding) noc.drawer.changed(told.id);
    }
    if (byId.size > KEPT) trim();
    if (counts) {
      noc.counts.refresh();
      document.dispatchEvent(new Event("noc:news")); // For pages that read anew by themselves.
    }
    rows.paint();
  };

  // What goes first is over, then the oldest; what is open and grave stays longest.
  function trim() {
    const worth = (row) => (noc.filters.isOpen(row) && (row.severity === "CRITICAL" || row.severity === "HIGH") ? 1 : 0);
    const going = [...byId.values()].sort((a, b) => worth(a) - worth(b) || a.first - b.first).slice(0, byId.size - KEPT);
    going.forEach((row) => byId.delete(row.id));
  }

  rows.set = function (id, change) {
    const row = byId.get(id);
    if (!row) return;
    byId.set(id, { ...row, ...change, text: undefined });
    rows.paint(true);
  };

  rows.get = (id) => byId.get(id);
  rows.all = () => [...byId.values()];
  // Newest first: by when it was first told of; of those told of before the page was opened, by when they began.
  rows.sorted = () => rows.all().sort((a, b) => b.first - a.first || (a.at < b.at ? 1 : -1));

  noc.seed = function (seed) {
    if (!seed) return window.dash_clientside.no_update;
    noc.filters.read();
    rows.take(seed, true);
    rows.paint(true);
    noc.wall.start();
    return window.dash_clientside.no_update;
  };
})();
