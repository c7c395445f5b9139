// The note that goes with a verdict: it is that of its punch, and goes and comes with it. The field
// is this script's alone, so that nothing written is on its way when the next punch is there.
(function () {
  const noc = (window.noc = window.noc || {});
  const MOST = 4000;
  let notes = new Map();
  let at = null; // Whose note the field holds.
  let later = null;

  const field = () => document.getElementById("review-note");
  const writing = () => Boolean(field()) && document.activeElement === field();

  noc.reviewNote = {
    begin() { notes = new Map(); at = null; later = null; },
    of: (id) => (notes.get(id) || "").trim().slice(0, MOST),
    begun: () => writing() || Boolean(at && notes.get(at)),
    leave() { if (writing()) field().blur(); },
    show(id) {
      at = id;
      if (!field()) return;
      field().value = (id && notes.get(id)) || "";
      grow();
    },
    // No punch is changed under somebody's pen.
    whenWritten(act) {
      if (writing()) later = act;
      else act();
    },
  };

  function grow() {
    field().style.height = "auto";
    field().style.height = `${field().scrollHeight + 2}px`;
  }

  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    if (at) notes.set(at, field().value);
    grow();
  });

  document.addEventListener("focusout", (event) => {
    if (!later || event.target !== field()) return;
    const act = later;
    later = null;
    act();
  });
})();
