// Baselines: a click in the week chooses its hour.
(function () {
  const noc = (window.noc = window.noc || {});

  noc.chooseHour = function (click) {
    const point = click && click.points && click.points[0];
    if (point && Number.isInteger(point.customdata)) {
      window.dash_clientside.set_props("baselines-hour", { value: String(point.customdata) });
    }
    return window.dash_clientside.no_update;
  };
})();
