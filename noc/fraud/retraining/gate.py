"""What a new model must show before it may score, in words.

Measured on the last window of time, on verdicts that were there by then, at the threshold that
the window before it set. With ten frauds in the window a recall of 0.8 may as well be 0.65 or
0.95, so intervals are shown and few frauds make the gate narrower, not wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from noc.settings import ModelGate

SHADOW_LABELS = 100
"""Labels from which a model may watch (blueprint, Training)."""

SURE_POSITIVES = 50
"""Frauds in the last window from which its figures are taken at their word. With 100 the standard

deviation of recall is 0.05, with 10 it is 0.14 (measured on the Fraud Detection Handbook's data).
"""

NOT_WORSE = 0.01
"""A challenger may lose so much average precision to the champion, at the interval's lower end."""

Figure = Mapping[str, float | None]
"""``value``, ``low`` and ``high`` of a measured figure; None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A challenger beside the active model on ``positives`` frauds that neither had learned.

    ``difference`` is in average precision, None where these are too few to compare on.
    """

    positives: int
    difference: Figure | None = None
    brier: float | None = None
    brier_of_champion: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """As the registry keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Check:
    """One demand and how it went. ``blocks``: what it keeps the model from when not met."""

    name: str
    met: bool
    blocks: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict: may it watch, may it score by itself, and why."""

    may_watch: bool
    may_score: bool
    checks: tuple[Check, ...]

    @property
    def sentence(self) -> str:
        """The verdict in one sentence, with the reasons against."""
        against = [check.sentence for check in self.checks if not check.met]
        if self.may_score:
            return "Passed the gate."
        lead = "Did not pass the gate, and only watches" if self.may_watch else "Rejected"
        return f"{lead}: {' '.join(against)}"

    def as_dict(self) -> dict[str, Any]:
        """As the registry keeps it."""
        return {
            "may_watch": self.may_watch,
            "may_score": self.may_score,
            "sentence": self.sentence,
            "checks": [asdict(check) for check in self.checks],
        }


def judge(
    *,
    labels: int,
    positives: int,
    test: Mapping[str, Figure],
    against_rules: Figure | None,
    against_champion: Comparison | None,
    needed_labels: int,
    needed: ModelGate,
) -> Gate:
    """Judge the figures of the last window.

    ``positives`` counts the frauds in it; ``test`` holds precision, recall and f1 of the score as
    it would be served; ``against_rules`` the difference in average precision, ``against_champion``
    is None where no model is active.
    """
    checks = [
        _labels(labels, needed_labels),
        *(_reached(name, test[name], getattr(needed, name)) for name in _DEMANDS),
        _sure(positives, test, needed),
        _beats_rules(against_rules),
    ]
    if against_champion is not None:
        checks += _not_worse(against_champion)
    blocked = {check.blocks for check in checks if not check.met}
    return Gate("watching" not in blocked, not blocked, tuple(checks))


_DEMANDS = ("precision", "recall", "f1")


def _labels(labels: int, needed: int) -> Check:
    met = labels >= needed
    told = f"It learned from {labels:,} verdicts; {needed:,} are needed to score by itself."
    return Check("labels", met, "scoring", told)


def _reached(name: str, figure: Figure, needed: float) -> Check:
    value = figure["value"]
    word = "F1" if name == "f1" else name.capitalize()
    if value is None:
        return Check(name, False, "scoring", f"{word} could not be measured in the last window.")
    told = f"{word} is {value:.2f}{_between(figure)}; {needed:.2f} is needed."
    return Check(name, value >= needed, "scoring", told)


def _sure(positives: int, test: Mapping[str, Figure], needed: ModelGate) -> Check:
    lows = [(test[name]["low"], getattr(needed, name)) for name in _DEMANDS]
    even_so = all(low is not None and low >= least for low, least in lows)
    told = (
        f"Only {positives} frauds lie in the last window: from {SURE_POSITIVES} on its figures "
        "count as they are, with fewer the lower ends of their intervals must pass."
    )
    if positives >= SURE_POSITIVES:
        told = f"{positives} frauds lie in the last window."
    elif even_so:
        told = f"{positives} frauds lie in the last window; the lower ends of the intervals pass."
    return Check("certainty", positives >= SURE_POSITIVES or even_so, "scoring", told)


def _beats_rules(difference: Figure | None) -> Check:
    if difference is None or difference["value"] is None:
        return Check("rules", False, "watching", "It could not be compared with the rules.")
    value = difference["value"]
    # Where the rules are perfect nobody can beat them: as good as they are is enough.
    if value < 0:
        told = f"Its average precision is {-value:.3f} below that of the rules alone."
        return Check("rules", False, "watching", told)
    told = f"Its average precision is {value:.3f} above the rules{_between(difference)}."
    return Check("rules", True, "watching", told)


def _not_worse(compared: Comparison) -> list[Check]:
    if compared.difference is None:
        told = (
            f"{compared.positives} frauds were confirmed since the active model was made, too few "
            "to compare with it: the punches that both score will tell."
        )
        return [Check("champion", True, "scoring", told)]
    value, low = compared.difference["value"], compared.difference["low"]
    if value is None or low is None:
        told = "It could not be compared with the active model."
        return [Check("champion", False, "scoring", told)]
    told = (
        f"Average precision less that of the active model: {value:+.3f}"
        f"{_between(compared.difference)}, on {compared.positives} frauds that neither had seen; "
        f"it may lose {NOT_WORSE:.2f} at most."
    )
    return [
        Check("champion", low > -NOT_WORSE, "scoring", told),
        _calibrated(compared.brier, compared.brier_of_champion),
    ]


def _calibrated(value: float | None, champion: float | None) -> Check:
    if value is None or champion is None:
        return Check("brier", False, "scoring", "Its calibration could not be compared.")
    told = f"Its Brier score is {value:.4f}, that of the active model {champion:.4f}."
    return Check("brier", value <= champion, "scoring", told)


def _between(figure: Figure) -> str:
    low, high = figure["low"], figure["high"]
    return "" if low is None or high is None else f" (90 % between {low:.2f} and {high:.2f})"
