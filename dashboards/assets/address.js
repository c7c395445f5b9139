// The choices of a page stand in its address, so that it can be sent to somebody and come back to.
(function () {
  const noc = (window.noc = window.noc || {});

  // The value of control "heatmap-days" is "days" of the address; none is left out.
  noc.keepAddress = function (...values) {
    const query = new URLSearchParams(window.location.search);
    window.dash_clientside.callback_context.inputs_list.forEach((input, index) => {
      const name = input.id.slice(input.id.indexOf("-") + 1);
      const value = values[index];
      if (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length)) query.delete(name);
      else query.set(name, Array.isArray(value) ? value.join(",") : value);
    });
    const text = query.toString().replace(/%3A/g, ":");
    const address = window.location.pathname + (text ? `?${text}` : "");
    if (address !== window.location.pathname + window.location.search) noc.replaceAddress(address);
    return window.dash_clientside.no_update;
  };

  // Told as a link of Dash tells it: else the router would put back the address that it last knew.
  noc.replaceAddress = function (address) {
    window.history.replaceState(window.history.state, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  };
})();
