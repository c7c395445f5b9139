// The page of a person: a point of the links leads to its person, and a link to the guard's side.
(function () {
  const noc = (window.noc = window.noc || {});
  const keep = () => window.dash_clientside.no_update;

  // As the link in the table below does: the choices of this page, and the part one was led to,
  // are not those of the next.
  noc.goToLinked = function (click) {
    const point = click && click.points && click.points[0];
    return point && point.customdata ? [`/app/person/${point.customdata[0]}`, "", ""] : [keep(), keep(), keep()];
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
