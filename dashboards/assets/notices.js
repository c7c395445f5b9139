// Short notices at the foot of the page. One with "Undo" waits while somebody is at it, and the key
// takes the newest back.
(function () {
  const noc = (window.noc = window.noc || {});
  const LONG = 10000;
  const offers = [];

  // Before the page stands, there is no place for messages yet.
  function atStart() {
    const area = document.createElement("div");
    area.className = "toasts";
    area.setAttribute("role", "alert");
    document.body.append(area);
    return area;
  }

  noc.toast = function (words, { undo, open, bad } = {}) {
    const area = document.getElementById("toasts") || atStart();
    const toast = noc.element("div", { className: bad ? "toast toast-bad" : "toast" }, noc.element("span", {}, words));
    if (undo) offer(toast, undo);
    else if (open) toast.append(button("Open", () => { remove(toast); noc.drawer.open(open); }));
    area.append(toast);
    stay(toast, undo || open ? LONG : bad ? 8000 : 5000);
  };

  function button(words, act) {
    const made = noc.element("button", { className: "text-btn", type: "button" }, words);
    made.onclick = act;
    return made;
  }

  function offer(toast, undo) {
    const act = () => { remove(toast); undo(); };
    const made = button("Undo", act);
    if (!verdicts()) {
      const key = noc.element("kbd", {}, "u");
      key.setAttribute("aria-hidden", "true");
      made.append(" ", key);
      made.setAttribute("aria-keyshortcuts", "u");
    }
    toast.append(made);
    offers.push({ toast, act });
  }

  function remove(toast) {
    const at = offers.findIndex((one) => one.toast === toast);
    if (at >= 0) offers.splice(at, 1);
    toast.remove();
  }

  function stay(toast, time) {
    let timer = setTimeout(remove, time, toast);
    const wait = () => clearTimeout(timer);
    const go = () => { clearTimeout(timer); timer = setTimeout(remove, time, toast); };
    toast.addEventListener("pointerenter", wait);
    toast.addEventListener("pointerleave", go);
    toast.addEventListener("focusin", wait);
    toast.addEventListener("focusout", go);
  }

  // Where punches are reviewed the same key says "unsure".
  const verdicts = () => Boolean(document.getElementById("review-card")) && !noc.drawer.target;

  document.addEventListener("keydown", (event) => {
    if (event.key !== "u" || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], [role=listbox]");
    if (typing || !offers.length || verdicts() || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    offers[offers.length - 1].act();
  });
})();
