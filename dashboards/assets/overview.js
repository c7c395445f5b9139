// The overview reads itself anew when the feed tells of something, at most every three seconds.
(function () {
  const noc = (window.noc = window.noc || {});
  const EVERY = 3000;
  let last = 0;
  let waiting = null;

  function refresh() {
    if (waiting || !document.getElementById("overview-body")) return;
    waiting = setTimeout(() => {
      waiting = null;
      if (document.hidden || !document.getElementById("overview-body")) return;
      last = Date.now();
      window.dash_clientside.set_props("overview-tick", { data: last });
    }, Math.max(250, last + EVERY - Date.now()));
  }

  // The feed's state, as the badge at the top has it.
  function mirror() {
    const mark = document.getElementById("overview-feed");
    if (!mark || !noc.feed || !noc.feed.shown) return;
    if (mark.textContent !== noc.feed.shown) mark.textContent = noc.feed.shown;
    mark.classList.toggle("state-new", noc.feed.status === "live");
  }

  noc.overviewShown = function () {
    last = Date.now();
    setTimeout(mirror, 0);
    return window.dash_clientside.no_update;
  };

  document.addEventListener("noc:news", refresh);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  setInterval(mirror, 1000);
})();
