// Small dialogs: a choice, a line of text, a list of keys. The browser's own <dialog> keeps the focus in.
(function () {
  const noc = (window.noc = window.noc || {});

  noc.element = function (tag, props, ...children) {
    const { ariaLabel, ...rest } = props || {};
    const element = Object.assign(document.createElement(tag), rest);
    if (ariaLabel) element.setAttribute("aria-label", ariaLabel);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const element = noc.element;

  noc.dialog = function (title, body, onClose) {
    const open = document.querySelector("dialog.pick");
    if (open) open.close();
    const dialog = element("dialog", { className: "pick", ariaLabel: title }, element("h2", {}, title), body);
    const back = document.activeElement;
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (back && back.isConnected && back.focus) back.focus({ preventScroll: true });
      if (onClose) onClose();
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    // Keys in here are for here.
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  };

  // One of the options: by click, by its number, by arrows and Enter; null where none is chosen.
  noc.pick = function ({ title, options, search }) {
    return new Promise((resolve) => {
      let chosen = null;
      const list = element("div", { className: "pick-list", role: "listbox" });
      const field = search ? element("input", { className: "pick-search", type: "search", placeholder: search, ariaLabel: search, maxLength: 60 }) : null;
      const dialog = noc.dialog(title, element("div", {}, field, list), () => resolve(chosen));
      const take = (option) => { chosen = option.value; dialog.close(); };
      let buttons = [];
      function fill() {
        const wanted = field ? field.value.trim().toLowerCase() : "";
        const shown = options.filter((option) => option.label.toLowerCase().includes(wanted)).slice(0, 60);
        buttons = shown.map((option, index) => {
          const button = element("button", { className: "pick-option", type: "button", role: "option" },
            element("span", {}, option.label),
            option.hint ? element("span", { className: "muted" }, option.hint) : null,
            !search && index < 9 ? element("kbd", {}, String(index + 1)) : null);
          button.onclick = () => take(option);
          return button;
        });
        list.replaceChildren(...(buttons.length ? buttons : [element("p", { className: "muted" }, "Nobody is called so.")]));
      }
      fill();
      if (field) field.oninput = fill;
      (field || buttons[0]).focus();
      dialog.addEventListener("keydown", (event) => {
        const at = buttons.indexOf(document.activeElement);
        if (event.key === "ArrowDown" && buttons.length) buttons[Math.min(at + 1, buttons.length - 1)].focus();
        else if (event.key === "ArrowUp" && at > 0) buttons[at - 1].focus();
        else if (event.key === "ArrowUp" && field) field.focus();
        else if (event.key === "Enter" && document.activeElement === field && buttons.length) buttons[0].click();
        else if (!search && /^[1-9]$/.test(event.key) && buttons[event.key - 1]) buttons[event.key - 1].click();
        else return;
        event.preventDefault();
      });
    });
  };

  noc.pick.text = function ({ title, label, most }) {
    return new Promise((resolve) => {
      let said = null;
      const field = element("input", { className: "pick-search", maxLength: most, ariaLabel: label, placeholder: label, required: true });
      const form = element("form", { className: "pick-form" }, field, element("button", { className: "btn btn-primary" }, "Save"));
      const dialog = noc.dialog(title, form, () => resolve(said));
      form.onsubmit = (event) => {
        event.preventDefault();
        said = field.value.trim() || null;
        dialog.close();
      };
      field.focus();
    });
  };
})();
