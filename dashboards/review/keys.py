"""What the keyboard does, as buttons and as a list."""

from __future__ import annotations

from dash import html

from dashboards.marks import aria, data

STEPS = (
    ("CONFIRMED", "F", "Fraud"),
    ("FALSE_POSITIVE", "G", "Genuine"),
    ("INCONCLUSIVE", "U", "Unsure"),
)

_HELP = (
    ("F", "Fraud: it was not the guard, or not there, or not then"),
    ("G", "Genuine: nothing wrong with it"),
    ("U", "Unsure: no verdict; the punch goes behind the others"),
    ("N", "Write a note that goes with the verdict; Esc leaves the field"),
    ("Z", "Take the last one back"),
    ("/", "Find a guard"),
    ("?", "Show or hide this list"),
)


def bar() -> html.Div:
    """The buttons below the punch; each tells its key."""
    return html.Div(
        [
            *(_button(label, key, step=code) for code, key, label in STEPS),
            # Not the kit's: what is typed into that is on its way for a moment, and came back into
            # the field after the script had emptied it for the next punch.
            html.Textarea(
                id="review-note",
                placeholder="Note (N)",
                rows=1,
                maxLength=4000,
                className="review-note",
                **aria(label="Note that goes with the verdict"),
            ),
            _button("Undo", "Z", undo=""),
            _button("Keys", "?", help=""),
        ],
        className="review-bar-keys",
        role="toolbar",
        **aria(label="Verdict"),
    )


def help_dialog() -> html.Dialog:
    """All keys; opened and closed by the script."""
    return html.Dialog(
        [
            html.H2("Keys"),
            html.Dl(
                [html.Div([html.Dt(html.Kbd(key)), html.Dd(text)]) for key, text in _HELP],
                className="review-keys",
            ),
            html.P(
                [
                    html.Button(
                        "Letters act as keys",
                        className="chip",
                        type="button",
                        **data(**{"review-letters": ""}),
                        **aria(pressed="true"),
                    ),
                ]
            ),
            html.P(
                "Judge what happened: neither the score nor why the punch was chosen says that "
                "it was fraud. Where it cannot be told, say unsure.",
                className="muted",
            ),
            html.Button(
                "Close", className="btn", type="button", **data(**{"review-help": ""})
            ),
        ],
        id="review-help",
        className="review-help",
        **aria(label="Keys"),
    )  # fmt: skip


def _button(label: str, key: str, **what: str) -> html.Button:
    named = {f"review-{name}": value for name, value in what.items()}
    return html.Button(
        [label, html.Kbd(key, **aria(hidden="true"))],
        className="btn",
        type="button",
        **data(**named),
        # Until a punch is there to be judged (assets/review.js).
        **aria(keyshortcuts=key, **({"disabled": "true"} if "step" in what else {})),
    )
