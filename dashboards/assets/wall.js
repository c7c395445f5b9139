// The wall screen: clocks, counts, what is open and critical, and what came last.
(function () {
  const noc = (window.noc = window.noc || {});
  const LISTED = { "wall-critical": 9, "wall-last": 10 };
  let lock = null;

  const wall = () => document.getElementById("wall");

  noc.wall = {
    start() {
      document.documentElement.toggleAttribute("data-wall", Boolean(wall()));
      size();
      if (!wall()) return;
      awake();
      tick();
      noc.wall.draw();
    },
    draw() {
      if (!wall() || !noc.config) return;
      const all = noc.rows.sorted();
      const grave = all.filter((row) => row.id.startsWith("alert:") && row.severity === "CRITICAL" && noc.filters.isOpen(row))
        .sort((a, b) => (a.at < b.at ? 1 : -1));
      list("wall-critical", grave, "Nothing critical is open.");
      list("wall-last", all.filter((row) => row.state), "Nothing has happened yet.");
      document.getElementById("wall-critical-count").textContent = grave.length || "";
    },
  };

  function list(id, rows, nothing) {
    const place = document.getElementById(id);
    const shown = rows.slice(0, LISTED[id]).map((row) => noc.element("li", { className: row.muted ? "row-muted" : "" },
      noc.element("span", { className: `sev sev-${row.severity.toLowerCase()}` }, noc.element("i", { className: "sev-mark" }), noc.say("severity", row.severity)),
      noc.element("span", { className: "wall-what" },
        noc.element("span", { className: "wall-title" }, row.title),
        noc.element("span", { className: "wall-where" }, [row.who, row.where].filter(Boolean).join(", ") || "Whole company")),
      noc.element("span", { className: "wall-how" },
        noc.element("span", { className: "num" }, noc.ago(row.at)),
        noc.element("span", { className: "wall-state" }, noc.person(row.assignee_id) || noc.say("state", row.state)))));
    const more = rows.length - shown.length;
    if (!shown.length) shown.push(noc.element("li", { className: "wall-none" }, nothing));
    else if (id === "wall-critical" && more > 0) shown.push(noc.element("li", { className: "wall-none" }, `and ${more} more`));
    place.replaceChildren(...shown);
  }

  // All type is in steps of the root's size: 12 of its 16 parts are the smallest letters.
  const size = () => { document.documentElement.style.fontSize = wall() ? `${Math.max(16, window.innerHeight / 34)}px` : ""; };
  window.addEventListener("resize", size);

  // The company's time is that of most of its sites.
  function companyZone() {
    const counts = {};
    Object.values(noc.config.sites).forEach((site) => { counts[site.timezone] = (counts[site.timezone] || 0) + 1; });
    return Object.keys(counts).sort((a, b) => counts[b] - counts[a])[0] || "UTC";
  }

  function clock(zone, name) {
    const time = new Date(noc.now()).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: zone });
    return noc.element("div", { className: "wall-clock" }, noc.element("span", { className: "num" }, time), noc.element("span", {}, name));
  }

  function tick() {
    if (!wall() || !noc.config) return;
    const zone = companyZone();
    const clocks = [clock("UTC", "UTC")];
    if (zone !== "UTC") clocks.push(clock(zone, zone.split("/").pop().replaceAll("_", " ")));
    document.getElementById("wall-clocks").replaceChildren(...clocks);
    const status = noc.feed.status;
    const health = document.getElementById("wall-health");
    const text = { live: "Feed live", connecting: "Feed connecting", delayed: "Feed delayed", offline: "Feed offline", ended: "Signed out" }[status];
    const className = `wall-health wall-${status}`;
    if (health.className !== className || !health.firstChild) {
      health.className = className;
      health.replaceChildren(noc.element("i", { className: "wall-dot" }), text);
    }
  }
  setInterval(tick, 1000);
  setInterval(() => noc.wall.draw(), 10000);

  // A screen that is watched must not go dark; where the browser cannot promise that, so be it.
  async function awake() {
    if (!wall() || !navigator.wakeLock || document.hidden || lock) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      lock.addEventListener("release", () => { lock = null; });
    } catch (error) {
      lock = null; // No permission, or the battery is low: asked again when the page is seen again.
    }
  }
  document.addEventListener("visibilitychange", awake);

  document.addEventListener("click", (event) => {
    if (event.target.closest("#live-wall")) window.location.assign("/app/?wall=1");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && wall()) window.location.assign("/app/");
  });
})();
