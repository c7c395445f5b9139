"""A trained model: calibrated probabilities, their reasons, and bytes to keep it in.

log-odds = slope * (tree_share * trees + linear_share * regression) + intercept. Everything is
linear in log-odds, so contributions add up, and every step goes row by row, so a row scored alone
gets the same bits as in a batch of a thousand.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.training import trees
from noc.fraud.training.calibration import Calibration, probabilities
from noc.fraud.training.linear import Linear
from noc.fraud.training.table import matrix

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "noc-fraud-model"
VERSION = 1

TYPES = ("xgboost", "logistic", "blend")


@dataclass(frozen=True, slots=True)
class Scorer:
    """Trees, a regression, or both, before calibration."""

    booster: Any | None
    linear: Linear | None
    tree_share: float
    offset: float = 0.0
    """Takes back that genuine rows were thinned out: what is common was made to look rare."""

    def margins(self, values: FloatArray) -> FloatArray:
        """Log-odds (rows,) as the parts say."""
        total = np.full(len(values), self.offset)
        if self.booster is not None:
            total += self.tree_share * trees.margins(self.booster, values)
        if self.linear is not None:
            total += (1 - self.tree_share) * self.linear.margins(values)
        return total

    def contributions(self, values: FloatArray) -> FloatArray:
        """(rows, columns + 1) in log-odds, the last the base."""
        total = np.zeros((len(values), values.shape[1] + 1))
        if self.booster is not None:
            total += self.tree_share * trees.contributions(self.booster, values)
        if self.linear is not None:
            total += (1 - self.tree_share) * self.linear.contributions(values)
        total[:, -1] += self.offset
        return total


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What ``fit`` returns and ``from_bytes`` reads; never changes.

    The figures of ``report`` were measured on windows that the measured model had not seen; the
    model itself is the same recipe fitted again on all rows. ``held_out`` (only from ``fit``) is
    what the measured model said of the calibration and test windows: ``probability`` as it was
    measured, ``served_probability`` on the scale of the model that is served.
    """

    features: tuple[str, ...]
    model_type: str
    report: dict[str, Any]
    scorer: Scorer
    calibration: Calibration
    held_out: pd.DataFrame | None = None

    def predict(self, features: pd.DataFrame | FloatArray) -> FloatArray:
        """Calibrated probabilities of fraud (rows,).

        Of a frame the model's columns are taken by name, others are ignored; an array has them
        in order. KeyError for a missing column, ValueError for one that is not numeric or an
        array of another width. NaN and infinities count as missing.
        """
        return probabilities(self.log_odds(features))

    def log_odds(self, features: pd.DataFrame | FloatArray) -> FloatArray:
        """Calibrated log-odds (rows,)."""
        return self.calibration(self.scorer.margins(self._values(features)))

    def explain(self, features: pd.DataFrame | FloatArray) -> pd.DataFrame:
        """Contributions to the log-odds: a column for each feature and ``base``."""
        import pandas as pd

        index = features.index if isinstance(features, pd.DataFrame) else None
        names = [*self.features, "base"]
        return pd.DataFrame(self.explain_array(features), columns=names, index=index)

    def explain_array(self, features: pd.DataFrame | FloatArray) -> FloatArray:
        """The same as (rows, columns + 1), the last the base; rows sum to the log-odds.

        Trees by TreeSHAP (Lundberg et al. 2020), the regression by its terms less their training
        means. What float32 leaves over is in the base.
        """
        values = self._values(features)
        parts = self.scorer.contributions(values) * self.calibration.slope
        log_odds = self.calibration(self.scorer.margins(values))
        parts[:, -1] = log_odds - parts[:, :-1].sum(axis=1)
        return parts

    def to_bytes(self) -> bytes:
        """The model as JSON with its SHA-256; the same model gives the same bytes."""
        booster, linear = self.scorer.booster, self.scorer.linear
        body = {
            "features": list(self.features),
            "model_type": self.model_type,
            "calibration": {
                "slope": self.calibration.slope,
                "intercept": self.calibration.intercept,
                "positives": self.calibration.positives,
                "by": self.calibration.by,
            },
            "tree_share": self.scorer.tree_share,
            "offset": self.scorer.offset,
            "linear": None if linear is None else linear.said(),
            "trees": None if booster is None else base64.b64encode(trees.saved(booster)).decode(),
            # How long it took differs from run to run; the bytes must not.
            "report": {name: part for name, part in self.report.items() if name != "seconds"},
        }
        document = {"format": FORMAT, "version": VERSION, "sha256": _digest(body), "model": body}
        return _canonical(document)

    @classmethod
    def from_bytes(cls, data: bytes) -> TrainedModel:
        """The model that ``to_bytes`` wrote; ValueError for anything else."""
        body = _checked(data)
        try:
            return cls._read(body)
        except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
            raise ValueError(f"the artefact is not a model of this format: {error}") from error

    @classmethod
    def _read(cls, body: dict[str, Any]) -> TrainedModel:
        names = body["features"]
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError("it names no columns")
        kind, share = body["model_type"], float(body["tree_share"])
        if kind not in TYPES or not 0 <= share <= 1:
            raise ValueError(f"it is of an unknown type, {kind!r}")
        linear = None if share == 1 else Linear.read(body["linear"], len(names))
        booster = None
        if share > 0:
            booster = trees.loaded(base64.b64decode(body["trees"], validate=True))
            if booster.num_features() != len(names):
                raise ValueError("its trees have another number of columns")
        line = body["calibration"]
        slope, intercept, offset = (
            float(line["slope"]),
            float(line["intercept"]),
            float(body["offset"]),
        )
        if not (np.isfinite([slope, intercept, offset]).all() and slope > 0):
            raise ValueError("its calibration is not a rising line")
        calibration = Calibration(slope, intercept, int(line["positives"]), str(line["by"]))
        if not isinstance(body["report"], dict):
            raise ValueError("it has no report")
        scorer = Scorer(booster, linear, share, offset)
        return cls(tuple(names), kind, body["report"], scorer, calibration)

    def _values(self, features: pd.DataFrame | FloatArray) -> FloatArray:
        if isinstance(features, np.ndarray):
            if features.ndim != 2 or features.shape[1] != len(self.features):
                raise ValueError(
                    f"expected an array of (rows, {len(self.features)}), got {features.shape}"
                )
            values = features.astype(np.float64)
            values[~np.isfinite(values)] = np.nan
            return values
        return matrix(features, self.features)


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(body)).hexdigest()


def _checked(data: bytes) -> dict[str, Any]:
    """The body of an artefact, whole and of this version; ValueError."""
    try:
        document = json.loads(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError("the artefact is not JSON: it is damaged or no model") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError("the artefact is not a fraud model")
    if document.get("version") != VERSION:
        raise ValueError(
            f"the artefact is of version {document.get('version')}; this program reads {VERSION}"
        )
    body = document.get("model")
    if not isinstance(body, dict):
        raise ValueError("the artefact has no model in it")
    try:
        whole = _digest(body) == document.get("sha256")
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("the artefact is damaged: its checksum does not agree")
    return body
