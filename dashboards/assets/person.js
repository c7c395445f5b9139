// The page of a person: a point of the links leads to its person, and a link to the guard's side.
(function () {
  const noc = (window.noc = window.noc || {});
  const keep = () => window.dash_clientside.no_update;

  noc.goToLinked = function (click) {
    const point = click && click.points && click.points[0];
    return point && point.customdata ? `/app/person/${point.customdata[0]}` : keep();
  };

  noc.guardSide = function () {
    if (window.location.hash === "#guard-side") {
      setTimeout(() => {
        const part = document.getElementById("guard-side");
        if (part) part.scrollIntoView({ block: "start" });
      }, 60);
    }
    return keep();
  };
})();
