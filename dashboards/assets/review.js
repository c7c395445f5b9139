// Reviewing punches: which one is shown, what is fetched ahead, what was said, and the keys.
(function () {
  const noc = (window.noc = window.noc || {});
  const keep = () => window.dash_clientside.no_update;
  const put = (id, data) => window.dash_clientside.set_props(id, { data });
  const here = () => document.getElementById("review-card");
  const AHEAD = 2;
  const PATIENCE = 12000;
  const RECENT = 15 * 60 * 1000;
  const VERDICTS = { f: "CONFIRMED", g: "FALSE_POSITIVE", u: "INCONCLUSIVE" };
  const NAMES = { CONFIRMED: "fraud", FALSE_POSITIVE: "genuine", INCONCLUSIVE: "unsure" };

  let number = 0;
  let now;

  // Kept while the page stands; another visit begins anew.
  function begin(element) {
    now = { element, queue: [], at: null, why: {}, cards: new Map(), said: new Set(), asked: null,
      wanted: null, wants: [], outbox: [], sent: null, undo: [], empty: null, filling: true, dry: false };
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
    number += 1;
    put("review-show", number);
  }

  noc.reviewShow = function () {
    if (!now || !here()) return keep();
    enable();
    if (!now.at) return now.empty || keep();
    const card = now.cards.get(now.at);
    prefetch();
    if (!card) { here().classList.add("is-loading"); return keep(); }
    return display(card);
  };

  function display(card) {
    here().classList.remove("is-loading");
    const page = document.getElementById("page");
    if (page) page.scrollTop = 0;
    return card.card;
  }

  function enable() {
    const card = now.at && now.cards.get(now.at);
    const ready = Boolean(card && !card.missing && !card.failed);
    document.querySelectorAll("[data-review-step]").forEach((button) => { button.disabled = !ready; });
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
    if (card.gone && card.id !== now.asked) {
      if (card.id === now.at) { noc.toast(`Left out. ${card.gone}`); setTimeout(advance, 0); }
      now.queue = now.queue.filter((id) => id !== card.id);
      now.said.add(card.id);
      prefetch();
      return keep();
    }
    want();
    if (card.id !== now.at) return keep();
    setTimeout(enable, 0);
    return display(card);
  };

  function say(verdict) {
    const card = now && now.at && now.cards.get(now.at);
    if (!card || card.missing || card.failed || here().classList.contains("is-loading")) return;
    const field = document.querySelector("#review-note");
    const note = field ? field.value.trim().slice(0, 4000) : "";
    const step = { id: now.at, verdict, note: note || null, expected: card.verdict || null };
    // What changes nothing cannot be taken back: unsure of a punch that has a verdict, or a look.
    const changes = verdict === "INCONCLUSIVE" ? !card.verdict && !card.looked : verdict !== card.verdict;
    if (changes) {
      const before = ["review", "audit"].includes(card.source) ? card.verdict : null;
      now.undo.push({ id: now.at, name: card.name, to: before, expected: verdict === "INCONCLUSIVE" ? card.verdict || null : verdict });
    }
    now.said.add(now.at);
    now.cards.delete(now.at);
    window.dash_clientside.set_props("review-note", { value: "" });
    if (field && document.activeElement === field) field.blur();
    told(`${card.name}: ${NAMES[verdict]}. Z takes it back.`);
    send(step);
    advance();
  }

  function takeBack(step) {
    if (!step) { told("Nothing to take back."); noc.toast("Nothing to take back."); return; }
    now.undo = now.undo.filter((one) => one.id !== step.id);
    now.back = step.id;
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
      } else if (answer.verdict === "BACK") {
        now.said.delete(answer.id);
        now.cards.delete(answer.id);
        if (now.back === answer.id) reopen(answer.id);
      }
    });
    flush();
    return keep();
  };

  function reopen(id) {
    if (now.at === id) now.queue.unshift(id);
    else now.queue = [id, now.at, ...now.queue.filter((one) => one !== id)].filter(Boolean);
    now.asked = id;
    now.back = null;
    told("Taken back.");
    advance();
  }

  // Cards are drawn in the colours of the page.
  noc.reviewRepaint = function () {
    if (!now || !here() || !now.at) return keep();
    now.cards.clear();
    now.asked = now.at;
    prefetch();
    return keep();
  };

  function told(words) {
    const area = document.getElementById("review-said");
    if (area) area.textContent = words;
  }

  function help() {
    const dialog = document.getElementById("review-help");
    if (!dialog) return;
    letters(lettersOn());
    dialog.open ? dialog.close() : dialog.showModal();
  }

  // Some speak to their computer, or type by accident: letters alone can be switched off.
  const lettersOn = () => window.localStorage.getItem("noc-review-letters") !== "off";
  function letters(on) {
    window.localStorage.setItem("noc-review-letters", on ? "on" : "off");
    document.querySelectorAll("[data-review-letters]").forEach((chip) => chip.setAttribute("aria-pressed", String(on)));
  }

  document.addEventListener("keydown", (event) => {
    if (!here() || !now || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing && typing.id === "review-note") { typing.blur(); return; }
    const open = document.querySelector("#review-help[open]");
    if (typing || (noc.drawer && noc.drawer.target)) return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    if (open || !lettersOn()) return;
    const key = event.key.toLowerCase();
    if (VERDICTS[key]) { event.preventDefault(); say(VERDICTS[key]); }
    if (key === "n") { event.preventDefault(); document.getElementById("review-note").focus(); }
    if (key === "z") { event.preventDefault(); last(); }
  });

  // After a reload the key goes on with what is listed, but not with yesterday's: for that there
  // is the button.
  function last() {
    const button = document.querySelector("[data-review-undo]:not([data-review-undo=''])");
    const time = button && button.closest("li").querySelector("time");
    const recent = time && noc.now() - Date.parse(time.dateTime) < RECENT;
    const saved = recent ? { id: button.dataset.reviewUndo, expected: button.dataset.verdict } : null;
    takeBack(now.undo.length ? now.undo[now.undo.length - 1] : saved);
  }

  document.addEventListener("click", (event) => {
    if (!here() || !now) return;
    const button = event.target.closest("button");
    if (!button) return;
    const { reviewStep, reviewUndo, reviewHelp, reviewLetters, reviewShow, verdict } = button.dataset;
    if (reviewStep) say(reviewStep);
    if (reviewUndo === "") last();
    if (reviewUndo) takeBack(now.undo.find((one) => one.id === reviewUndo) || { id: reviewUndo, expected: verdict });
    if (reviewHelp !== undefined) help();
    if (reviewLetters !== undefined) letters(!lettersOn());
    if (reviewShow) { now.cards.delete(reviewShow); reopen(reviewShow); }
    if (button.closest(".review-page") && button.id && button.id.includes("review-again")) prefetch();
  });

  // A mark on a line of time opens what it stands for.
  noc.reviewOpen = function (click) {
    const point = click && click.points && click.points[0];
    if (point && point.customdata && point.customdata[0]) noc.drawer.open(point.customdata[0]);
    return keep();
  };
})();
