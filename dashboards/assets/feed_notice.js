// News to the ear: sounds by severity, off until somebody wants them, and words for screen readers.
(function () {
  const noc = (window.noc = window.noc || {});
  const ORDER = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"];
  const SOUND_PAUSE = 3000;
  const WORDS_PAUSE = 5000;
  // Frequency in Hz, start and length in s: the graver, the higher, the longer and the more often.
  const TONES = {
    CRITICAL: [[880, 0, 0.16], [660, 0.2, 0.16], [880, 0.4, 0.24]], HIGH: [[740, 0, 0.14], [740, 0.2, 0.2]],
    MEDIUM: [[590, 0, 0.2]], LOW: [[440, 0, 0.16]], INFO: [[330, 0, 0.12]],
  };
  let audio = null;
  let soundedAt = 0;
  let saidAt = 0;
  let waiting = [];
  let timer = null;

  const key = () => `noc-sound:${noc.config.tenant_id}:${noc.config.user_id}`;
  const wanted = () => {
    try { return new Set(JSON.parse(window.localStorage.getItem(key()) || "[]").filter((code) => ORDER.includes(code))); } catch (error) { return new Set(); }
  };

  // A new alert, or one that has come back or got worse: never what is muted, nothing while paused.
  noc.notice = function (row, before) {
    const again = before && (before.state !== "NEW" || ORDER.indexOf(row.severity) < ORDER.indexOf(before.severity));
    if (!row.id.startsWith("alert:") || row.state !== "NEW" || row.muted || (before && !again)) return;
    if (row.severity === "CRITICAL" || row.severity === "HIGH") say(row);
    if (!noc.rows.paused && wanted().has(row.severity)) sound(row.severity);
  };

  function sound(severity) {
    if (Date.now() - soundedAt < SOUND_PAUSE) return;
    soundedAt = Date.now();
    play(severity);
  }

  function play(severity) {
    try {
      audio = audio || new AudioContext();
      audio.resume();
      TONES[severity].forEach(([frequency, start, length]) => {
        const at = audio.currentTime + start;
        const tone = audio.createOscillator();
        const volume = audio.createGain();
        tone.frequency.value = frequency;
        volume.gain.setValueAtTime(0, at);
        volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.001, at + length);
        tone.connect(volume).connect(audio.destination);
        tone.start(at);
        tone.stop(at + length + 0.02);
      });
      noc.notice.played = (noc.notice.played || 0) + 1;
    } catch (error) {
      noc.toast("This browser plays no sounds.", { bad: true });
    }
  }

  // Browsers are silent until the reader has touched the page.
  document.addEventListener("pointerdown", () => {
    if (noc.config && wanted().size) { audio = audio || new AudioContext(); audio.resume(); }
  }, { once: true });

  function say(row) {
    waiting.push(row);
    if (!timer) timer = setTimeout(speak, Math.max(300, saidAt + WORDS_PAUSE - Date.now()));
  }

  function speak() {
    timer = null;
    const place = document.getElementById("live-said");
    const rows = waiting;
    waiting = [];
    if (!place) return;
    saidAt = Date.now();
    const critical = rows.filter((row) => row.severity === "CRITICAL").length;
    const one = rows[rows.length - 1];
    place.textContent = rows.length === 1
      ? `${noc.say("severity", one.severity)}: ${[one.title, one.who, one.where].filter(Boolean).join(", ")}`
      : `${rows.length} new alerts, ${critical ? `${critical} critical` : "all of them high"}. The newest: ${one.title}`;
  }

  function settings() {
    const on = wanted();
    const lines = ORDER.map((code) => {
      const box = noc.element("input", { type: "checkbox", checked: on.has(code), id: `sound-${code}` });
      box.onchange = () => {
        box.checked ? on.add(code) : on.delete(code);
        window.localStorage.setItem(key(), JSON.stringify([...on]));
        mark();
      };
      const label = noc.element("label", { htmlFor: box.id }, noc.say("severity", code));
      const test = noc.element("button", { className: "text-btn", type: "button", ariaLabel: `Test the sound of ${noc.say("severity", code)}` }, "Test");
      test.onclick = () => play(code);
      return noc.element("div", { className: "sound-line" }, box, label, test);
    });
    const close = noc.element("button", { className: "btn", type: "button" }, "Done");
    const hint = noc.element("p", { className: "muted" }, "For new alerts, at most one sound in three seconds, none while the feed is paused. Kept in this browser.");
    const dialog = noc.dialog("Sounds of new alerts", noc.element("div", {}, ...lines, hint, close));
    close.onclick = () => dialog.close();
    lines[0].querySelector("input").focus();
  }

  function mark() {
    const icon = document.querySelector("#live-sound .icon");
    if (icon) icon.className = `icon icon-${wanted().size ? "sound" : "sound-off"}`;
  }
  noc.notice.mark = mark;

  document.addEventListener("click", (event) => {
    if (event.target.closest("#live-sound")) settings();
  });
})();
