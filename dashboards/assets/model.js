// The page about the model: which version is chosen, and news of a training.
(function () {
  const noc = (window.noc = window.noc || {});

  noc.chosenVersion = function (search, chosen) {
    if (window.location.pathname.replace(/\/$/, "") !== "/app/model") return window.dash_clientside.no_update;
    const version = new URLSearchParams(search || "").get("version");
    noc.keepAgain("model");
    return version === (chosen || null) ? window.dash_clientside.no_update : version;
  };

  // A score, or an amount of work: what is not given is not shown.
  noc.whatIfGiven = function (ask) {
    return [ask === "budget", ask !== "budget"];
  };

  // Told by the feed; the clock of the page is for when the feed is not there.
  noc.training = function (frame) {
    if (frame.name !== "fraud_training" || !document.getElementById("model-run")) return;
    window.dash_clientside.set_props("model-tick", { data: frame.seq });
  };
})();
