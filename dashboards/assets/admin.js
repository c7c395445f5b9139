// The page Administration: its tabs, secrets that are shown once, rows that are open.
(function () {
  const noc = (window.noc = window.noc || {});
  const none = () => window.dash_clientside.no_update;
  const here = () => window.location.pathname.replace(/\/$/, "") === "/app/admin";

  // A click on a tab, or a way back: the part as the address has it. What was shown once is gone with it.
  noc.adminPart = function (search, part) {
    if (!here() || noc.wroteAddress()) return [none(), none()];
    const wanted = new URLSearchParams(search || "").get("part") || part;
    return [wanted, null];
  };

  noc.adminTabs = function (part) {
    document.querySelectorAll(".admin-tab").forEach((tab) => {
      const chosen = new URL(tab.href).searchParams.get("part") === part;
      if (!chosen) return tab.removeAttribute("aria-current");
      tab.setAttribute("aria-current", "page");
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    return none();
  };

  // Told by the feed; the clock of the part is for when the feed is not there.
  noc.jobNews = function (frame) {
    if (document.getElementById("admin-jobs-live")) window.dash_clientside.set_props("admin-jobs-tick", { data: frame.seq });
  };

  noc.adminForget = (clicks) => (clicks ? null : none());

  // What was opened gets the focus, and comes into view where it stands below the list.
  noc.adminShown = function () {
    setTimeout(() => {
      const part = document.querySelector(".admin-secret-box[data-focus]") || document.querySelector(".admin-side[data-focus]");
      if (!part || part.contains(document.activeElement)) return;
      part.focus({ preventScroll: true });
      part.scrollIntoView({ block: "nearest" });
    }, 60);
    return noc.adminMark();
  };

  // Of a list that stays as it is, the row that is open beside it.
  noc.adminMark = function () {
    setTimeout(() => {
      const side = document.querySelector(".admin-beside .admin-side");
      document.querySelectorAll(".admin-table tr[data-key]").forEach((row) => {
        const open = Boolean(side) && row.dataset.key === side.dataset.key;
        row.classList.toggle("is-chosen", open);
        if (open) row.setAttribute("aria-current", "true");
        else row.removeAttribute("aria-current");
      });
    }, 60);
    return none();
  };

  function copied(button, well) {
    button.textContent = well ? "Copied" : "Select it and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  }

  // Browsers let a page write to the clipboard over TLS and on this machine alone.
  function copy(button) {
    const value = document.getElementById(button.dataset.copy);
    if (!value) return;
    const range = document.createRange();
    range.selectNodeContents(value);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
    if (navigator.clipboard) navigator.clipboard.writeText(value.textContent).then(() => copied(button, true), () => copied(button, false));
    else copied(button, document.execCommand("copy"));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
})();
