// Reviewing by keyboard and by its buttons, the list of keys, and the switch that turns letters off.
(function () {
  const noc = (window.noc = window.noc || {});
  const VERDICTS = { f: "CONFIRMED", g: "FALSE_POSITIVE", u: "INCONCLUSIVE" };
  const stands = () => noc.review.stands();

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
    if (!stands() || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing && typing.id === "review-note") { typing.blur(); return; }
    const open = document.querySelector("#review-help[open]");
    if (typing || (noc.drawer && noc.drawer.target)) return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    if (open || !lettersOn()) return;
    const key = event.key.toLowerCase();
    if (VERDICTS[key]) { event.preventDefault(); noc.review.say(VERDICTS[key]); }
    if (key === "n") { event.preventDefault(); document.getElementById("review-note").focus(); }
    if (key === "z") { event.preventDefault(); noc.review.last(); }
  });

  document.addEventListener("click", (event) => {
    if (!stands()) return;
    const button = event.target.closest("button");
    if (!button) return;
    const { reviewStep, reviewUndo, reviewHelp, reviewLetters, reviewShow, verdict } = button.dataset;
    if (reviewStep) noc.review.say(reviewStep);
    if (reviewUndo === "") noc.review.last();
    if (reviewUndo) noc.review.takeBack(reviewUndo, verdict);
    if (reviewHelp !== undefined) help();
    if (reviewLetters !== undefined) letters(!lettersOn());
    if (reviewShow) noc.review.showAgain(reviewShow);
    if (button.closest(".review-page") && button.id && button.id.includes("review-again")) noc.review.fetch();
  });
})();
