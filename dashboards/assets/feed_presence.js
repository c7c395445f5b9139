// Who else is looking at what. Said over the feed's socket, and over when it is not said again.
(function () {
  const noc = (window.noc = window.noc || {});
  const AGAIN = 10000;
  const SOON = 600; // Whoever runs through rows is not looking at each.
  let looking = new Map(); // Target to names.
  let until = 0;
  let said = null;
  let saidAt = 0;
  let timer = null;

  const names = (target) => looking.get(target) || null;
  const mine = () => noc.drawer.target || (document.getElementById("live-frame") && !document.hidden ? noc.table.current : null);
  const knows = (target) => Boolean(target) && /^(alert|ticket):\d+$/.test(target);

  noc.presence = {
    at: names,
    // The words for who looks: "Maya is looking".
    words(list) {
      if (!list || !list.length) return "";
      return list.length === 1 ? `${list[0]} is looking` : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]} are looking`;
    },
    initials: (name) => name.split(/\s+/).slice(0, 2).map((part) => [...part][0] || "").join("").toUpperCase(),

    hear(frame) {
      const next = new Map();
      frame.looking.forEach((one) => {
        if (one.user_id === noc.config.user_id) return;
        next.set(one.target, [...(next.get(one.target) || []), one.name]);
      });
      until = Date.now() + 1000 * (frame.expires_in || 30);
      show(next);
    },
    // The line was cut, or is new: what others see of us begins anew.
    reset() {
      said = undefined;
      tell();
    },
  };

  function show(next) {
    const before = looking;
    looking = next;
    new Set([...before.keys(), ...next.keys()]).forEach((id) => {
      const was = (before.get(id) || []).join();
      if (was !== (next.get(id) || []).join() && noc.rows.get(id)) noc.rows.set(id, { looking: names(id) });
    });
    drawer();
  }

  function drawer() {
    const place = document.getElementById("drawer-looking");
    if (!place) return;
    const list = names(noc.drawer.target);
    const words = noc.presence.words(list);
    if (place.dataset.words === words) return;
    place.dataset.words = words;
    place.replaceChildren();
    if (!list) return;
    list.slice(0, 3).forEach((name) => place.append(noc.element("span", { className: "looker", ariaHidden: "true" }, noc.presence.initials(name))));
    place.append(words);
  }
  noc.detailShown = function () {
    setTimeout(drawer, 0);
    return window.dash_clientside.no_update;
  };

  function tell() {
    const target = knows(mine()) ? mine() : null;
    const again = target && Date.now() - saidAt > AGAIN;
    if (target === said && !again) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const now = knows(mine()) ? mine() : null;
      if (now !== target) return tell();
      if (noc.feed.say({ type: "presence", target })) { said = target; saidAt = Date.now(); }
    }, said === undefined ? 0 : SOON);
  }

  setInterval(() => {
    if (!noc.config) return;
    if (looking.size && Date.now() > until) show(new Map());
    tell();
  }, 700);
})();
