// The connection to the live feed: resumes where it stopped, and always says how it is.
(function () {
  const noc = (window.noc = window.noc || {});
  const SILENCE = 30000; // Heartbeats come every 20 s; later than this the feed is delayed.
  const feed = (noc.feed = { cursor: 0, status: "connecting" });
  let config = null;
  let socket = null;
  let attempts = 0;
  let heard = 0;
  let behindSince = 0;
  let timer = null;
  let cut = null; // Since when the line is cut or held back, why, and what has been caught up.

  noc.start = function (given) {
    if (config || !given) return window.dash_clientside.no_update;
    config = given;
    noc.config = given;
    noc.words = given.words;
    noc.skew = Date.parse(given.server_time) - Date.now();
    feed.cursor = given.after;
    connect();
    setInterval(watch, 1000);
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", () => document.hidden || hurry());
    return window.dash_clientside.no_update;
  };

  function connect() {
    clearTimeout(timer);
    timer = null;
    let opened = false;
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const mine = new WebSocket(`${scheme}://${window.location.host}${config.path}?after=${feed.cursor}`);
    socket = mine;
    mine.onopen = () => {
      opened = true;
      heard = Date.now();
    };
    mine.onmessage = (message) => receive(JSON.parse(message.data));
    mine.onclose = (event) => {
      if (socket !== mine) return;
      socket = null;
      closed(event.code, opened);
    };
  }

  feed.say = function (message) {
    if (!socket || socket.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  };

  function receive(frame) {
    heard = Date.now();
    if (frame.type === "rate_limited") return pauseFor(frame);
    if (frame.type === "presence") return noc.presence.hear(frame);
    if (typeof frame.cursor === "number") feed.cursor = Math.max(feed.cursor, frame.cursor);
    if (frame.type === "hello") {
      attempts = 0;
      behindSince = 0;
      noc.skew = Date.parse(frame.server_time) - Date.now();
      // It is answered when all that was missed has been sent.
      if (cut) { cut.back = true; feed.say({ type: "heartbeat" }); }
      noc.presence.reset();
    } else if (frame.type === "heartbeat") {
      caughtUp();
    } else {
      if (cut && cut.back && frame.seq > cut.seq) cut.caught += 1;
      noc.rows.take([frame]);
      if (frame.type === "job_updated") { noc.training(frame); noc.jobNews(frame); }
    }
    tell(behindSince ? "delayed" : "live");
  }

  function lost(why) {
    if (!cut) cut = { since: Date.now(), seq: feed.cursor, caught: 0, back: false, why };
    cut.back = false;
  }

  function caughtUp() {
    if (!cut || !cut.back) return;
    noc.table.gap((Date.now() - cut.since) / 1000, cut.caught, cut.seq, cut.why);
    cut = null;
  }

  // Too many events this minute: nothing is lost, the log replays it from the cursor.
  function pauseFor(frame) {
    if (behindSince) return;
    behindSince = Date.now();
    if (typeof frame.resume_after === "number") feed.cursor = Math.max(feed.cursor, frame.resume_after);
    lost("Held back for");
    tell("delayed");
    setTimeout(reconnect, Math.max(1, frame.retry_after_seconds || 5) * 1000);
  }

  function reconnect() {
    const old = socket;
    socket = null;
    lost("Reconnected after");
    if (old) old.close(1000);
    connect();
  }

  function closed(code, opened) {
    if (code === 1008) return tell("ended");
    lost("Reconnected after");
    tell("offline");
    if (opened) return later();
    // A refused upgrade has no status in the browser: ask by HTTP why.
    fetch(`${config.probe}?after=${feed.cursor}&limit=1`, { headers: { Accept: "application/json" } })
      .then((answer) => {
        if (answer.status === 401) return noc.signIn();
        if (answer.status === 410) return window.location.reload();
        return later();
      })
      .catch(later);
  }

  function later() {
    const wait = Math.min(30000, 1000 * 2 ** attempts) * (0.5 + Math.random() / 2);
    attempts += 1;
    clearTimeout(timer);
    timer = setTimeout(connect, Math.max(1000, wait));
  }

  function hurry() {
    if (!socket && timer) connect();
  }

  function watch() {
    if (!socket || !heard) return;
    const silent = Date.now() - heard;
    if (silent > 3 * SILENCE) return reconnect();
    if (silent > SILENCE || behindSince) tell("delayed");
  }

  function tell(status) {
    feed.status = status;
    const since = behindSince || heard;
    const text = {
      live: "live",
      delayed: `delayed ${Math.round((Date.now() - since) / 1000)} s`,
      offline: "offline",
      ended: "signed out",
    }[status];
    const hint = {
      live: "The live feed is connected",
      delayed: "The live feed is behind; nothing is lost, it catches up",
      offline: "The live feed is not connected; trying again",
      ended: "Access has ended; sign in again",
    }[status];
    if (feed.shown === text) return;
    feed.shown = text;
    const dot = { type: "I", namespace: "dash_html_components", props: { className: "badge-dot" } };
    const word = { type: "Span", namespace: "dash_html_components", props: { children: text } };
    const kind = status === "ended" ? "offline" : status;
    window.dash_clientside.set_props("feed-badge", {
      children: [dot, word],
      className: `badge badge-${kind}`,
      title: hint,
    });
  }
})();
