// Times and words, written the same in cells, drawers and pages.
(function () {
  const noc = (window.noc = window.noc || {});
  const DAY = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  const LATER = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false, timeZoneName: "short" };

  noc.skew = 0; // The server's clock minus this one, in ms.

  noc.now = () => Date.now() + noc.skew;

  noc.ago = function (at) {
    const seconds = Math.round((noc.now() - Date.parse(at)) / 1000);
    if (seconds < -60) return `in ${span(-seconds)}`;
    return seconds < 5 ? "just now" : `${span(seconds)} ago`;
  };

  function span(seconds) {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  }

  noc.span = (seconds) => span(Math.max(seconds, 0));

  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const formats = new Map(); // To make one takes longer than to use it a hundred times.
  function written(date, zone, parts = DAY) {
    const key = `${zone} ${parts.year || ""}`;
    if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone }));
    return formats.get(key).format(date);
  }

  noc.exactly = function (at, zone) {
    const date = new Date(at);
    const mine = `${written(date, here)} here (${here})`;
    if (!zone || zone === here) return mine;
    return `${mine}\n${written(date, zone)} at the site (${zone})`;
  };

  // Paper is read later, and elsewhere: day, time and zone of the site, or of the reader.
  noc.onPaper = (at, zone) => written(new Date(at), zone || here, LATER);

  noc.say = function (group, code) {
    if (!code) return "";
    const words = (noc.words && noc.words[group]) || {};
    const plain = code.replace(/_/g, " ").toLowerCase();
    return words[code] || plain.charAt(0).toUpperCase() + plain.slice(1);
  };

  // Times that the server wrote are kept relative to now.
  function refresh() {
    document.querySelectorAll("time.when").forEach((element) => {
      const text = noc.ago(element.dateTime);
      if (element.textContent !== text) element.textContent = text;
      if (!element.title) element.title = noc.exactly(element.dateTime, element.dataset.zone);
    });
  }
  setInterval(refresh, 1000);
  let soon = 0;
  new MutationObserver(() => {
    if (!soon) soon = requestAnimationFrame(() => { soon = 0; refresh(); });
  }).observe(document.body, { childList: true, subtree: true });
  noc.refreshTimes = refresh;
})();
