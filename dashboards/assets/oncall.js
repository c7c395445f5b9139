// The page about who is on call: times by the reader's clock, and where the keyboard goes on.
(function () {
  const noc = (window.noc = window.noc || {});
  const CLOCK = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false };

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function clock(element) {
    const at = new Date(element.dateTime);
    const zone = element.dataset.zone;
    write(element, at.toLocaleString("en-GB", CLOCK));
    element.title = `${noc.exactly(element.dateTime, "")}\n${at.toLocaleString("en-GB", { ...CLOCK, timeZone: zone })} by the schedule's clock (${zone})`;
  }

  // What is due may be a minute late: it is then "any moment", not in the past.
  function until(element) {
    const seconds = Math.round((Date.parse(element.dateTime) - noc.now()) / 1000);
    write(element, seconds < 5 ? "any moment" : `in ${noc.span(seconds)}`);
    element.title = noc.exactly(element.dateTime, "");
  }

  // The server names where the keyboard goes on; each name holds once, when it appears.
  let known = new Set();
  function focus() {
    const wanted = [...document.querySelectorAll(".oncall [data-focus]")];
    const fresh = wanted.find((element) => !known.has(element.dataset.focus));
    known = new Set(wanted.map((element) => element.dataset.focus));
    if (fresh) fresh.focus();
  }

  function refresh() {
    if (!document.querySelector(".oncall")) {
      known = new Set();
      return;
    }
    document.querySelectorAll(".oncall time.clock").forEach(clock);
    document.querySelectorAll(".oncall time.until").forEach(until);
    focus();
  }

  let soon = 0;
  new MutationObserver(() => {
    if (!soon) soon = requestAnimationFrame(() => { soon = 0; refresh(); });
  }).observe(document.body, { childList: true, subtree: true });
  setInterval(refresh, 5000);
})();
