// The frame: where one is, colours, keys, the drawer, and counts kept fresh by the feed.
(function () {
  const noc = (window.noc = window.noc || {});
  const none = () => window.dash_clientside.no_update;

  noc.navigated = function (pathname) {
    document.querySelectorAll(".nav-link").forEach((link) => {
      const target = link.getAttribute("href");
      const one = { "/app/people": "/app/person/", "/app/incidents": "/app/incident/" }[target];
      const here = (one && pathname.startsWith(one)) || pathname === target || (target === "/app/" && pathname === "/app");
      here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    });
    sheet.navigated();
    const wanted = opened();
    if (!wanted) noc.drawer.close();
    else if (wanted !== noc.drawer.target) noc.drawer.open(wanted);
    noc.wall.start();
    return none();
  };

  // What stands open is in the address (?open=alert:7), so that it can be sent to somebody.
  function opened() {
    const id = new URLSearchParams(window.location.search).get("open") || "";
    return /^[a-z]{1,20}:[0-9a-f-]{1,40}$/.test(id) ? id : null;
  }
  function tellAddress(id) {
    const query = new URLSearchParams(window.location.search);
    if ((query.get("open") || null) === id) return;
    id ? query.set("open", id) : query.delete("open");
    const text = query.toString().replace(/%3A/g, ":");
    noc.replaceAddress(window.location.pathname + (text ? `?${text}` : ""));
  }

  noc.switchScheme = function (clicks, scheme) {
    const next = scheme === "dark" ? "light" : "dark";
    noc.setScheme(next);
    return [next, next];
  };

  let version = 0;
  noc.drawer = {
    target: null,
    open(id) {
      noc.drawer.target = id;
      version += 1;
      tellAddress(id);
      window.dash_clientside.set_props("drawer-target", { data: { id, version } });
    },
    close() {
      if (noc.drawer.target) window.dash_clientside.set_props("drawer", { opened: false });
      noc.drawer.target = null;
    },
    changed(id) {
      setTimeout(() => {
        // Not over what somebody is writing: they see the news when they save it.
        const writing = [...document.querySelectorAll("#detail textarea, #detail .typed input")].some((field) => field.value);
        if (noc.drawer.target === id && !writing) noc.drawer.open(id);
      }, 400);
    },
  };

  noc.showDrawer = function (target) {
    return Boolean(target && target.id);
  };
  noc.drawerToggled = function (opened) {
    if (!opened) {
      noc.drawer.target = null;
      tellAddress(null);
    }
    return none();
  };

  // The choices of the page one leaves are not those of the one one comes to.
  noc.goTo = (personId) => (personId ? [`/app/person/${personId}`, "", null] : [none(), none(), none()]);

  noc.reveal = function () {
    setTimeout(() => {
      const part = document.getElementById("drill");
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (part) part.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
    }, 60);
    return none();
  };

  noc.openPunch = function (click) {
    const point = click && click.points && click.points[0];
    if (point && point.customdata) noc.drawer.open(`punch:${point.customdata[0]}`);
    return none();
  };

  // On a phone the bar has what is used most, and a sheet the rest. The browser's own <dialog>
  // keeps the focus in it, closes by Esc, and gives the focus back.
  const sheet = {
    box: () => document.getElementById("nav-sheet"),
    more: () => document.getElementById("nav-more"),
    open() {
      if (!sheet.box() || sheet.box().open) return;
      sheet.box().onclose = () => sheet.more().setAttribute("aria-expanded", "false");
      sheet.box().showModal();
      sheet.more().setAttribute("aria-expanded", "true");
    },
    close() { if (sheet.box() && sheet.box().open) sheet.box().close(); },
    navigated() {
      sheet.close();
      const inside = Boolean(sheet.box() && sheet.box().querySelector('[aria-current="page"]'));
      if (sheet.more()) sheet.more().classList.toggle("is-here", inside);
    },
  };
  window.matchMedia("(max-width: 760px)").addEventListener("change", sheet.close);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#nav-more")) sheet.open();
    else if (event.target.id === "nav-sheet" || event.target.closest("#nav-sheet-close, #nav-sheet a")) sheet.close();
  });

  let waiting = null;
  noc.counts = {
    // Numbers above the feed follow it, at most every three seconds.
    refresh() {
      if (waiting || !document.getElementById("kpis")) return;
      waiting = setTimeout(() => {
        waiting = null;
        window.dash_clientside.set_props("kpi-tick", { data: Date.now() });
      }, 3000);
    },
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.defaultPrevented) {
      event.preventDefault();
      document.getElementById("finder").focus();
    }
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      noc.drawer.open(opener.dataset.open);
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { noc });
})();
