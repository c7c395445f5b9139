"""A registered model as the one who speaks on punches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noc.fraud import model_reasons
from noc.fraud.columns import FloatArray
from noc.fraud.features import FeatureFrame
from noc.fraud.predictor import PredictorFailed, Speakers
from noc.fraud.reasons import Names, Reason
from noc.fraud.registry import serving
from noc.fraud.registry.artefact import Registered
from noc.fraud.rules import Assessment

_FAULTS = (ValueError, LookupError, ArithmeticError, TypeError)
"""What a model raises where it does not fit the vectors; XGBoost's own error is a ValueError."""


@dataclass(frozen=True, slots=True)
class ModelPredictor:
    """:class:`noc.fraud.predictor.Predictor` by a version of the registry."""

    registered: Registered

    @property
    def version(self) -> str:
        """As the registry numbers it."""
        return self.registered.version

    @property
    def model_type(self) -> str:
        """What kind of model it is."""
        return self.registered.model_type

    def predict(self, frame: FeatureFrame) -> FloatArray:
        """What the model says of the vectors as they will be stored."""
        try:
            return self.registered.artefact.probabilities(frame.stored())
        except _FAULTS as error:
            raise PredictorFailed(str(error) or type(error).__name__) from error

    def combine(self, probabilities: FloatArray, assessment: Assessment) -> FloatArray:
        """By the weights that were learned with this version."""
        return self.registered.artefact.combination.scores(probabilities, assessment.scores)

    def explain(
        self, frame: FeatureFrame, assessment: Assessment, rows: Sequence[int], names: Names
    ) -> dict[int, list[Reason]]:
        """What raises each score, told against the person's own habits."""
        if not rows:
            return {}
        artefact = self.registered.artefact
        try:
            contributions = artefact.trained.explain_array(frame.stored()[list(rows)])
            # What is not finite could not be stored as a weight.
            if not np.isfinite(contributions).all():
                raise ValueError("the model gave a part that is no number")
            return model_reasons.tell(
                frame, assessment, rows, names, contributions, artefact.combination
            )
        except _FAULTS as error:
            raise PredictorFailed(str(error) or type(error).__name__) from error


def speakers(tenant_id: int) -> Speakers:
    """The tenant's models, ready to speak."""
    found = serving.speakers(tenant_id)
    return Speakers(
        ModelPredictor(found.active) if found.active else None,
        tuple(ModelPredictor(shadow) for shadow in found.shadows),
        found.broken,
    )
