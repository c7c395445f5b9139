// The replay of an incident: what was known at a moment. Everything came with the page.
(function () {
  const noc = (window.noc = window.noc || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const none = () => window.dash_clientside.no_update;
  const TICK = 100; // ms between two pictures while it plays.
  const replay = { story: null, id: null, at: null, timer: null, touched: false };

  const byId = (name) => document.getElementById(name);
  const plot = (name) => document.querySelector(`#${name} .js-plotly-plot`);
  const atEnd = () => replay.at === null || replay.at >= replay.story.to;

  cells.PlainScore = ({ value }) =>
    window.React.createElement("span", { className: "num" }, value == null ? "—" : Number(value).toFixed(2));

  function go(params) {
    const id = params.data && params.data.id.split(":")[1];
    if (!id) return;
    // As Dash's own links do it.
    window.history.pushState({}, "", `/app/incident/${id}`);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }
  functions.goToIncident = go;
  functions.keyInIncidents = function (params) {
    if (params.event && params.event.key === "Enter") go(params);
  };

  noc.openMark = function (click) {
    const point = click && click.points && click.points[0];
    if (point && Array.isArray(point.customdata) && point.customdata[0]) noc.drawer.open(point.customdata[0]);
    return none();
  };

  noc.replayReady = function (story, id) {
    stop();
    if (!story) return none();
    const before = replay.id === id && replay.at !== null && replay.at < replay.story.to ? replay.at : null;
    Object.assign(replay, { story, id, at: before });
    listen();
    whenDrawn(() => (before === null ? draw() : move(before)));
    return none();
  };

  noc.replayTo = function (seconds) {
    // What it is set to while it plays comes back late: only a hand on the slider counts.
    if (!replay.story || !replay.touched || typeof seconds !== "number") return none();
    const at = replay.story.from + seconds * 1000;
    const end = seconds >= Math.floor((replay.story.to - replay.story.from) / 1000);
    replay.at = end ? null : at;
    draw();
    return none();
  };

  function move(at) {
    const { from, to } = replay.story;
    replay.touched = false;
    replay.at = at >= to ? null : Math.max(from, at);
    const seconds = Math.floor(((replay.at === null ? to : replay.at) - from) / 1000);
    window.dash_clientside.set_props("incident-at", { value: seconds });
    draw();
  }

  function whenDrawn(then, tries = 60) {
    if (plot("incident-timeline") && plot("incident-timeline")._fullLayout) return then();
    if (tries) setTimeout(() => whenDrawn(then, tries - 1), 50);
    return undefined;
  }

  // One picture: the veil over what was not known, the rows, the map, and a sentence.
  function draw() {
    const { story } = replay;
    const end = atEnd();
    const at = end ? story.to : replay.at;
    const knows = (known) => end || known <= at;
    drawLine(story, at, end, knows);
    document.querySelectorAll("#incident-rows > li").forEach((row) => {
      row.hidden = !knows(story.known[Number(row.dataset.n)]);
    });
    const frame = document.querySelector(".story-frame");
    if (frame && !end) frame.scrollTop = frame.scrollHeight;
    drawMap(story, at, end, knows);
    say(story, at, end, knows);
    const button = byId("incident-play");
    if (button) {
      button.setAttribute("aria-pressed", Boolean(replay.timer));
      button.querySelector(".icon").className = `icon icon-${replay.timer ? "pause" : "play"}`;
    }
  }

  function drawLine(story, at, end, knows) {
    const chart = plot("incident-timeline");
    if (!chart || !chart._fullLayout) return;
    const index = (name) => chart.layout.shapes.findIndex((shape) => shape.name === name);
    drawMarks(story, chart, knows);
    const x = at + story.shift;
    const veil = index("veil");
    const now = index("now");
    const counts = new Array(story.bins).fill(0);
    story.signals.forEach(([slot, known, n]) => { if (knows(known)) counts[slot] += n; });
    window.Plotly.update(
      chart,
      { y: [counts.map((n) => (0.8 * n) / story.top)], customdata: [counts] },
      { [`shapes[${veil}].x0`]: x, [`shapes[${now}].x0`]: x, [`shapes[${now}].x1`]: x, [`shapes[${now}].visible`]: !end },
      [0],
    );
  }

  // Marks in their lanes: what happened before but was not known yet is not there.
  function drawMarks(story, chart, knows) {
    Object.entries(story.names).forEach(([lane, name]) => {
      const mine = story.known.map((known, i) => i).filter((i) => story.lanes[i] === lane);
      const find = (wanted) => chart.data.findIndex((trace) => trace.name === wanted);
      const marks = find(name);
      if (marks < 0) return;
      const opacity = mine.map((i) => (knows(story.known[i]) ? (story.linked[i] ? 1 : 0.5) : 0));
      window.Plotly.restyle(chart, { "marker.opacity": [opacity] }, [marks]);
      const lines = find(`${name}, how long`);
      const places = Array.from(chart.data[marks].y);
      const y = mine.flatMap((i, n) => (story.lasts[i] ? (knows(story.known[i]) ? [places[n], places[n], null] : [null, null, null]) : []));
      if (lines >= 0 && y.length) window.Plotly.restyle(chart, { y: [y] }, [lines]);
    });
  }

  function drawMap(story, at, end, knows) {
    const chart = plot("incident-map");
    if (!chart || !chart._fullLayout) return;
    const known = story.fixes.filter((fix) => knows(fix[2]));
    const last = known.slice(-1);
    const pick = (rows, column) => rows.map((fix) => fix[column]);
    window.Plotly.restyle(chart, { x: [pick(known, 0), pick(last, 0)], y: [pick(known, 1), pick(last, 1)] }, [1, 2]);
  }

  const clock = (at) => new Date(at + replay.story.shift).toISOString().slice(11, 19);
  const many = (n, one, more) => `${n} ${n === 1 ? one : more || `${one}s`}`;

  function say(story, at, end, knows) {
    const line = byId("incident-known");
    if (!line) return;
    const counts = {};
    story.known.forEach((known, i) => { if (knows(known)) counts[story.lanes[i]] = (counts[story.lanes[i]] || 0) + 1; });
    const told = [["punches", "punch", "punches"], ["findings", "finding"], ["alerts", "alert"], ["tickets", "ticket"], ["people", "step by people", "steps by people"]]
      .filter(([lane]) => counts[lane]).map(([lane, one, more]) => many(counts[lane], one, more));
    const heard = story.signals.filter(([, known]) => knows(known)).reduce((latest, row) => Math.max(latest, row[3]), 0);
    const silent = heard ? `phone last heard ${clock(heard).slice(0, 5)}, ${noc.span(Math.round((at - heard) / 1000))} before` : "phone not heard";
    line.textContent = `${end ? "Everything to" : "Known at"} ${clock(at)}: ${told.join(", ") || "nothing yet"}; ${silent}.`;
  }

  function stop() {
    clearInterval(replay.timer);
    replay.timer = null;
  }

  function play() {
    if (replay.timer) {
      stop();
      return draw();
    }
    if (atEnd()) move(replay.story.from);
    replay.timer = setInterval(() => {
      if (!byId("incident-play")) return stop(); // Another page.
      const chosen = document.querySelector("#incident-speed input:checked");
      const next = replay.at + TICK * (Number(chosen && chosen.value) || 300);
      if (next >= replay.story.to) stop();
      return move(next);
    }, TICK);
    return draw();
  }

  // To the moment at which the next or the one before became known.
  function jump(way) {
    stop();
    const { story } = replay;
    const at = atEnd() ? story.to : replay.at;
    const moments = [story.from, ...story.known, story.to].filter((known) => known >= story.from && known <= story.to);
    const rest = moments.filter((known) => (way > 0 ? known > at : known < at));
    if (rest.length) move(way > 0 ? Math.min(...rest) : Math.max(...rest));
    else draw();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#incident-play, #incident-back, #incident-next");
    if (!button || !replay.story) return;
    if (button.id === "incident-play") play();
    else jump(button.id === "incident-next" ? 1 : -1);
  });
  ["pointerdown", "keydown"].forEach((name) => document.addEventListener(name, (event) => {
    if (!replay.story || !event.target.closest(".replay-slider")) return;
    stop();
    replay.touched = true;
  }, true));
  document.addEventListener("keydown", (event) => {
    if (!byId("incident-play") || !replay.story || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=radio]), textarea, button, a, [contenteditable]")) return;
    if (event.key === " ") { event.preventDefault(); play(); }
    if (event.key === "," || event.key === ".") jump(event.key === "." ? 1 : -1);
  });

  // What somebody else does with it shows at once, beside what one is writing.
  let listening = false;
  let news = 0;
  function listen() {
    if (listening) return;
    listening = true;
    const before = noc.drawer.changed;
    noc.drawer.changed = function (id) {
      before(id);
      if (byId("incident-side") && (id === `incident:${replay.id}` || byId("incident-side").querySelector(`[data-open="${CSS.escape(id)}"]`))) {
        news += 1;
        window.dash_clientside.set_props("incident-news", { data: news });
      }
    };
  }

  // Clock times of the site: on hover the reader's beside it.
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest(".story-time");
    if (time && !time.title) time.title = noc.exactly(time.dateTime, time.dataset.zone);
  });
})();
