// Reviewing punches: which one is shown, what is fetched ahead, what was said, and the keys.
(function () {
  const noc = (window.noc = window.noc || {});
  const keep = () => window.dash_clientside.no_update;
  const put = (id, data) => window.dash_clientside.set_props(id, { data });
  const here = () => document.getElementById("review-card");
  const AHEAD = 2;
  const PATIENCE = 12000;
  const RECENT = 15 * 60 * 1000;
  const LOOK = 250; // Milliseconds: nobody judges what has not stood there for so long.
  const AGAIN = 1500;
  const NAMES = { CONFIRMED: "fraud", FALSE_POSITIVE: "genuine", INCONCLUSIVE: "unsure" };

  let number = 0;
  let now;

  // Kept while the page stands; another visit begins anew.
  function begin(element) {
    now = { element, queue: [], at: null, why: {}, cards: new Map(), said: new Set(), asked: null,
      wanted: null, wants: [], outbox: [], sent: null, undo: [], empty: null, filling: true, dry: false,
      ready: null, back: null, turn: 0 };
    noc.reviewNote.begin();
  }

  function fresh() {
    const element = here();
    if (!now || now.element !== element) begin(element);
  }

  // The queue came, for the first time, for another site, or to go on with.
  noc.reviewQueue = function (data, first) {
    if (!data) return keep();
    fresh();
    now.filling = false;
    if (data.failed) {
      if (now.at) return keep();
      return data.failed;
    }
    now.empty = data.empty;
    if (data.site !== now.site) {
      now.queue = [];
      if (now.site !== undefined) { now.at = null; now.asked = null; first = null; }
      now.site = data.site;
    }
    const known = new Set([now.at, ...now.queue]);
    const more = data.items.filter((item) => !known.has(item.id) && !now.said.has(item.id));
    more.forEach((item) => { now.queue.push(item.id); now.why[item.id] = item.why; });
    now.dry = !more.length;
    if (!now.at) {
      if (first && !now.said.has(first)) {
        now.asked = first;
        now.queue = [first, ...now.queue.filter((id) => id !== first)];
      }
      advance();
    } else prefetch();
    return keep();
  };

  function advance() {
    now.at = now.queue.shift() || null;
    unready();
    noc.reviewNote.show(now.at);
    show();
    if (now.queue.length < 4 && !now.filling && !now.dry) {
      now.filling = true;
      number += 1;
      put("review-more", number);
    }
  }

  function show() {
    const query = new URLSearchParams(window.location.search);
    now.at ? query.set("punch", now.at) : query.delete("punch");
    const text = query.toString();
    noc.replaceAddress(window.location.pathname + (text ? `?${text}` : ""));
    again();
  }

  function again() {
    number += 1;
    put("review-show", number);
  }

  noc.reviewShow = function () {
    if (!now || !here()) return keep();
    if (!now.at) { here().classList.remove("is-loading"); return now.empty || keep(); }
    const card = now.cards.get(now.at);
    prefetch();
    if (!card) { here().classList.add("is-loading"); return keep(); }
    return display(card);
  };

  function display(card) {
    here().classList.remove("is-loading");
    const page = document.getElementById("page");
    if (page) page.scrollTop = 0;
    if (now.ready !== now.at && !card.failed && !card.missing) watch();
    return card.card;
  }

  // A verdict is for the punch that stands on the screen. What is handed over to be drawn gets there
  // later, on a busy machine much later: the page itself is asked, and the reader given a moment.
  const drawn = () => { const card = here().querySelector("[data-prediction]"); return card && card.dataset.prediction; };

  function watch() {
    const mine = now;
    const turn = (now.turn += 1);
    let since = null;
    let asked = performance.now();
    function look() {
      if (now !== mine || now.turn !== turn || !here()) return;
      const time = performance.now();
      since = drawn() === now.at ? since || time : null;
      if (since && time - since >= LOOK) return settle();
      // Of two cards handed over at once the first may have come last.
      if (!since && time - asked > AGAIN && now.cards.has(now.at)) { asked = time; again(); }
      requestAnimationFrame(look);
    }
    requestAnimationFrame(look);
  }

  function settle() {
    if (now.cards.has(now.at) && !now.back) now.ready = now.at;
    enable();
  }

  function unready() {
    now.ready = null;
    now.turn += 1;
    enable();
  }

  // Not disabled: a button that is loses the focus of whoever works by keyboard.
  function enable() {
    const ready = Boolean(now.at && now.ready === now.at);
    document.querySelectorAll("[data-review-step]").forEach((button) => button.setAttribute("aria-disabled", String(!ready)));
  }

  // One call at a time: of two, the answer to the first would be thrown away.
  function prefetch() {
    const soon = [now.at, ...now.queue.slice(0, AHEAD)].filter(Boolean);
    now.wants = soon.filter((id) => !now.cards.has(id) && id !== now.wanted);
    want();
  }

  function want() {
    if (now.wanted || !now.wants.length) return;
    const mine = now;
    const id = now.wants.shift();
    now.wanted = id;
    number += 1;
    put("review-want", { id, why: now.why[id] || "asked", number });
    clearTimeout(now.timer);
    now.timer = setTimeout(() => {
      if (now === mine && now.wanted === id) { now.wanted = null; prefetch(); }
    }, PATIENCE);
  }

  noc.reviewDealt = function (card) {
    if (!card || !now || !here()) return keep();
    if (now.wanted === card.id) now.wanted = null;
    if (!card.failed) now.cards.set(card.id, card);
    // Who has begun to write about it keeps it before them, and is told.
    if (card.gone && card.id === now.at && noc.reviewNote.begun()) now.asked = card.id;
    if (card.gone && card.id !== now.asked) {
      if (card.id === now.at) { noc.toast(`Left out. ${card.gone}`); setTimeout(advance, 0); }
      now.queue = now.queue.filter((id) => id !== card.id);
      now.said.add(card.id);
      prefetch();
      return keep();
    }
    want();
    return card.id === now.at ? display(card) : keep();
  };

  function say(verdict) {
    if (!now || !now.at || now.ready !== now.at || drawn() !== now.at || !now.cards.has(now.at)) return;
    const card = now.cards.get(now.at);
    const note = noc.reviewNote.of(now.at);
    const step = { id: now.at, verdict, note: note || null, expected: card.verdict || null };
    // What changes nothing cannot be taken back: unsure of a punch that has a verdict, or a look.
    const changes = verdict === "INCONCLUSIVE" ? !card.verdict && !card.looked : verdict !== card.verdict;
    if (changes) {
      const before = ["review", "audit"].includes(card.source) ? card.verdict : null;
      now.undo.push({ id: now.at, name: card.name, to: before, expected: verdict === "INCONCLUSIVE" ? card.verdict || null : verdict });
    }
    now.said.add(now.at);
    now.cards.delete(now.at);
    noc.reviewNote.leave();
    told(`${card.name}: ${NAMES[verdict]}. Z takes it back.`);
    send(step);
    advance();
  }

  function takeBack(step) {
    if (!step) { told("Nothing to take back."); noc.toast("Nothing to take back."); return; }
    now.undo = now.undo.filter((one) => one.id !== step.id);
    // What is pressed next is meant for the punch that comes back, not for the one still there.
    now.back = step.id;
    unready();
    here().classList.add("is-loading");
    send({ id: step.id, verdict: "BACK", note: null, expected: step.expected || null, to: step.to || null });
  }

  function send(step) {
    now.outbox.push(step);
    flush();
  }

  function flush() {
    if (now.sent || !now.outbox.length) return;
    const mine = now;
    number += 1;
    now.sent = { number, steps: now.outbox.splice(0, 25) };
    put("review-steps", now.sent);
    const turn = number;
    clearTimeout(now.sending);
    // Said again where no answer came: what got through already is found to be so.
    now.sending = setTimeout(() => {
      if (now !== mine || !now.sent || now.sent.number !== turn) return;
      now.outbox = [...now.sent.steps, ...now.outbox];
      now.sent = null;
      flush();
    }, PATIENCE);
  }

  noc.reviewJudged = function (data) {
    if (!data || !now || !now.sent || data.number !== now.sent.number) return keep();
    now.sent = null;
    data.answers.forEach((answer) => {
      if (!answer.ok) {
        noc.toast(answer.words, { bad: true });
        now.undo = now.undo.filter((one) => one.id !== answer.id);
        if (now.back === answer.id) stay();
      } else if (answer.verdict === "BACK") {
        now.said.delete(answer.id);
        now.cards.delete(answer.id);
        if (now.back === answer.id) noc.reviewNote.whenWritten(() => reopen(answer.id));
      }
    });
    flush();
    return keep();
  };

  // It could not be taken back: the punch that was there is there still.
  function stay() {
    now.back = null;
    again();
  }

  function reopen(id) {
    now.back = null;
    if (now.at === id) now.queue.unshift(id);
    else now.queue = [id, now.at, ...now.queue.filter((one) => one !== id)].filter(Boolean);
    now.asked = id;
    told("Taken back.");
    advance();
  }

  // Cards are drawn in the colours of the page.
  noc.reviewRepaint = function () {
    if (!now || !here() || !now.at) return keep();
    now.cards.clear();
    unready();
    now.asked = now.at;
    prefetch();
    return keep();
  };

  function told(words) {
    const area = document.getElementById("review-said");
    if (area) area.textContent = words;
  }

  // What keys and buttons do (review_keys.js); nothing while another page stands.
  noc.review = {
    stands: () => Boolean(here() && now),
    say,
    last() { takeBack(now.undo.length ? now.undo[now.undo.length - 1] : saved()); },
    takeBack(id, expected) { takeBack(now.undo.find((one) => one.id === id) || { id, expected }); },
    showAgain(id) { now.cards.delete(id); reopen(id); },
    fetch: prefetch,
  };

  // After a reload the key goes on with what is listed, but not with yesterday's: for that there
  // is the button.
  function saved() {
    const button = document.querySelector("[data-review-undo]:not([data-review-undo=''])");
    const time = button && button.closest("li").querySelector("time");
    const recent = time && noc.now() - Date.parse(time.dateTime) < RECENT;
    return recent ? { id: button.dataset.reviewUndo, expected: button.dataset.verdict } : null;
  }

  // A mark on a line of time opens what it stands for.
  noc.reviewOpen = function (click) {
    const point = click && click.points && click.points[0];
    if (point && point.customdata && point.customdata[0]) noc.drawer.open(point.customdata[0]);
    return keep();
  };
})();
