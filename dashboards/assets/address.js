// The choices of a page stand in its address, so that it can be sent to somebody and come back to.
(function () {
  const noc = (window.noc = window.noc || {});

  const chosen = new Map();
  let writing = false;
  let left = false; // A part of the administration, by a link or back, and the next one is on its way.

  // What stood there before has no say in the new address: parts have choices of the same name, and
  // one that is told late would put its own into it.
  function leave() {
    if (!writing) left = Boolean(document.getElementById("admin-body"));
  }
  window.addEventListener("popstate", leave);
  window.addEventListener("_dashprivate_pushstate", leave);

  noc.arrived = function () {
    left = false;
    return window.dash_clientside.no_update;
  };

  // The value of control "heatmap-days" is "days" of the address; none is left out.
  function write(controls) {
    if (left && document.getElementById("admin-body")) return;
    left = false;
    const query = new URLSearchParams(window.location.search);
    controls.forEach((id) => {
      const name = id.slice(id.indexOf("-") + 1);
      const value = chosen.get(id);
      if (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length)) query.delete(name);
      else query.set(name, Array.isArray(value) ? value.join(",") : value);
    });
    const text = query.toString().replace(/%3A/g, ":");
    const address = window.location.pathname + (text ? `?${text}` : "");
    if (address !== window.location.pathname + window.location.search) noc.replaceAddress(address);
  }

  noc.keepAddress = function (...values) {
    const controls = window.dash_clientside.callback_context.inputs_list.map((input) => input.id);
    controls.forEach((id, index) => chosen.set(id, values[index]));
    write(controls);
    return window.dash_clientside.no_update;
  };

  // After a link within the page that names one choice alone, or a way back to what was chosen before:
  // the controls stand as they did, and the address says so.
  noc.keepAgain = function (page) {
    write([...chosen.keys()].filter((id) => id.startsWith(`${page}-`)));
  };

  // Whether the page itself has written this address, and nobody has gone anywhere since.
  let written = null;
  noc.wroteAddress = function () {
    const own = written === window.location.pathname + window.location.search;
    if (!own) written = null;
    return own;
  };

  // Told as a link of Dash tells it: else the router would put back the address that it last knew.
  noc.replaceAddress = function (address) {
    written = address;
    window.history.replaceState(window.history.state, "", address);
    writing = true;
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    writing = false;
  };
})();
