// Tickets: clocks that count down, the board's cards under keys and pointer, and the form's steps.
(function () {
  const noc = (window.noc = window.noc || {});
  const none = () => window.dash_clientside.no_update;
  const page = () => document.getElementById("tickets-table");
  let number = 0;

  // Clocks: what is left is told in two units, and in seconds when it is nearly over.
  function told(seconds) {
    const s = Math.abs(seconds);
    if (s < 600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} min`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  }

  function clocks() {
    document.querySelectorAll("time.left").forEach((clock) => {
      const stands = clock.dataset.stands === "yes";
      const seconds = stands ? Number(clock.dataset.left) : Math.floor((Date.parse(clock.dateTime) - noc.now()) / 1000);
      const text = `${told(seconds)} ${seconds < 0 ? "late" : "left"}${stands ? ", stands" : ""}`;
      if (clock.textContent !== text) clock.textContent = text;
      if (seconds < 0) {
        clock.classList.remove("sla-on_time", "sla-at_risk");
        clock.classList.add("sla-overdue");
      }
      clock.title = stands
        ? "On hold: the clock stands until the work goes on"
        : `Due ${noc.exactly(clock.dateTime, clock.dataset.zone)}`;
    });
  }
  setInterval(clocks, 1000);

  // Reading anew: by the feed, at most every two seconds, and never under somebody's hand.
  let waiting = null;
  let busy = null; // The card that is being dragged.
  function refresh(wait) {
    if (waiting || !page()) return;
    waiting = setTimeout(() => {
      waiting = null;
      if (!page() || document.hidden) return;
      if (busy || menu) return refresh(1000);
      window.dash_clientside.set_props("tickets-tick", { data: Date.now() });
    }, wait);
  }
  document.addEventListener("noc:news", () => refresh(2000));
  document.addEventListener("visibilitychange", () => document.hidden || refresh(200));

  // Cards.
  let focused = null;
  const cards = (column) => [...column.querySelectorAll(".card")];
  const columns = () => [...document.querySelectorAll(".board-column")];
  const movesOf = (card) => JSON.parse(card.dataset.moves || "[]");
  const focus = (card) => card && card.querySelector(".card-title").focus();

  function send(card, move) {
    closeMenu(false);
    focused = card.dataset.ticket;
    card.classList.add("is-moving");
    setTimeout(() => card.classList.remove("is-moving"), 5000);
    number += 1;
    const data = { id: Number(card.dataset.ticket), version: Number(card.dataset.version), to: move.to, number };
    if (move.resolution) data.resolution = move.resolution;
    window.dash_clientside.set_props("tickets-move", { data });
  }

  // Into a column: at once where there is one way, else the ways are shown.
  function moveInto(card, column, at) {
    if (!column || column === card.dataset.column) return;
    const ways = movesOf(card).filter((move) => move.column === column);
    if (ways.length === 1) send(card, ways[0]);
    else if (ways.length) openMenu(card, ways, at);
    else noc.toast(`${card.dataset.number} cannot go there from where it is.`, { bad: true });
  }

  let menu = null;
  function openMenu(card, ways, at) {
    closeMenu(false);
    if (!ways.length) return;
    menu = document.createElement("div");
    menu.className = "card-menu";
    menu.setAttribute("role", "menu");
    menu.setAttribute("aria-label", `Move ${card.dataset.number}`);
    menu.owner = card.dataset.ticket;
    ways.forEach((move) => {
      const item = document.createElement("button");
      item.type = "button";
      item.setAttribute("role", "menuitem");
      item.textContent = move.label;
      item.onclick = () => {
        const now = document.querySelector(`.card[data-ticket="${menu.owner}"]`);
        if (now) send(now, move);
        else closeMenu(true);
      };
      menu.append(item);
    });
    document.body.append(menu);
    const box = at || card.querySelector(".card-move").getBoundingClientRect();
    const left = Math.min(box.left, window.innerWidth - menu.offsetWidth - 8);
    const below = (box.bottom || box.top) + 4;
    const top = below + menu.offsetHeight > window.innerHeight ? Math.max(8, box.top - menu.offsetHeight - 4) : below;
    menu.style.left = `${Math.max(8, left)}px`;
    menu.style.top = `${top}px`;
    menu.firstChild.focus();
  }

  function closeMenu(back) {
    if (!menu) return;
    const owner = menu.owner;
    menu.remove();
    menu = null;
    if (back) focus(document.querySelector(`.card[data-ticket="${owner}"]`));
  }

  function keyInMenu(event) {
    const items = [...menu.children];
    const here = items.indexOf(document.activeElement);
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Escape" || event.key === "Tab") closeMenu(true);
    else if (event.key in steps) items[(here + steps[event.key] + items.length) % items.length].focus();
    else if (event.key === "Home") items[0].focus();
    else if (event.key === "End") items[items.length - 1].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const SIDE = { ArrowLeft: -1, ArrowRight: 1 };
  function keyOnCard(event, card) {
    const column = card.closest(".board-column");
    const all = columns();
    const place = cards(column).indexOf(card);
    if (event.key in SIDE && event.shiftKey) {
      const next = all[all.indexOf(column) + SIDE[event.key]];
      if (next) moveInto(card, next.dataset.column);
    } else if (event.key in SIDE) {
      let index = all.indexOf(column) + SIDE[event.key];
      while (all[index] && !cards(all[index]).length) index += SIDE[event.key];
      if (all[index]) focus(cards(all[index])[Math.min(place, cards(all[index]).length - 1)]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      focus(cards(column)[place + (event.key === "ArrowDown" ? 1 : -1)]);
    } else if (event.key === "m" && !event.ctrlKey && !event.metaKey) {
      openMenu(card, movesOf(card));
    } else return;
    event.preventDefault();
  }

  document.addEventListener("keydown", (event) => {
    if (menu) return keyInMenu(event);
    const card = event.target.closest && event.target.closest(".card");
    if (card) keyOnCard(event, card);
  }, true);

  document.addEventListener("click", (event) => {
    if (menu && !menu.contains(event.target)) closeMenu(false);
    const card = event.target.closest(".card");
    if (!card) return;
    const button = event.target.closest(".card-move");
    if (button) openMenu(card, movesOf(card));
    else if (!event.target.closest("button, a")) noc.drawer.open(`ticket:${card.dataset.ticket}`);
  });

  // Dragging.
  const columnAt = (event) => busy && event.target.closest && event.target.closest(".board-column");
  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest && event.target.closest('.card[draggable="true"]');
    if (!card) return;
    busy = card;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.number);
    const into = new Set(movesOf(card).map((move) => move.column));
    columns().forEach((column) => {
      const name = column.dataset.column;
      column.classList.toggle("may-take", into.has(name) && name !== card.dataset.column);
    });
    card.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const column = columnAt(event);
    columns().forEach((other) => other.classList.toggle("is-over", other === column && other.classList.contains("may-take")));
    if (column && column.classList.contains("may-take")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const column = columnAt(event);
    if (!column) return;
    event.preventDefault();
    moveInto(busy, column.dataset.column, { left: event.clientX, top: event.clientY, bottom: event.clientY });
  });
  document.addEventListener("dragend", () => {
    if (busy) busy.classList.remove("is-dragged");
    columns().forEach((column) => column.classList.remove("may-take", "is-over"));
    busy = null;
  });

  noc.ticketsShown = function () {
    noc.fitted();
    setTimeout(() => {
      document.querySelectorAll(".card.is-moving").forEach((card) => card.classList.remove("is-moving"));
      clocks();
      // Whoever moved a card goes on from it, wherever it stands now.
      const card = focused && document.querySelector(`.card[data-ticket="${focused}"]`);
      focused = null;
      if (card) focus(card);
    }, 0);
    return none();
  };

  noc.ticketMoved = function (answer) {
    if (!answer) return none();
    if (answer.ok) noc.offerUndo(answer);
    refresh(0);
    return none();
  };

  noc.ticketUndone = function (answer) {
    if (!answer) return none();
    noc.toast(answer.words, { bad: !answer.ok });
    noc.drawer.changed(`ticket:${answer.id}`);
    refresh(0);
    return none();
  };

  // The board has no view of what is over: it has a column for that.
  noc.showChosen = function (show, view) {
    return show === "board" && ["done", "all"].includes(view) ? "open" : none();
  };

  // The form: a fresh key each time it is opened, so that pressing twice opens one ticket.
  noc.newTicket = function (opened, cancelled, key) {
    const pressed = window.dash_clientside.callback_context.triggered[0];
    if (!pressed || !pressed.value) return [none(), none()];
    if (pressed.prop_id.startsWith("tickets-new-cancel")) return [false, key];
    const random = window.crypto.getRandomValues(new Uint32Array(4));
    return [true, [...random].map((part) => part.toString(36)).join("-")];
  };

  noc.ticketCreated = function (answer) {
    if (!answer) return none();
    noc.toast(answer.words);
    noc.drawer.open(`ticket:${answer.id}`);
    refresh(0);
    return none();
  };
})();
