"""What a model is on disk, in the database and in memory: the same bytes, checked by SHA-256."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from noc.fraud import combination
from noc.fraud.columns import FloatArray
from noc.fraud.combination import Combination

if TYPE_CHECKING:
    from noc.fraud.training.model import TrainedModel

FORMAT = "noc-fraud-model/1"


class BrokenArtefact(ValueError):
    """Bytes that are no model, or not the one that was registered."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A trained model, how it is combined with the rules, and where it says fraud."""

    trained: TrainedModel
    combination: Combination
    threshold: float

    def probabilities(self, values: FloatArray) -> FloatArray:
        """What the model alone says of vectors (n, 12) as stored; the same to the last bit

        whichever process computes it, and whichever other rows are beside.
        """
        return self.trained.predict(values)


@dataclass(frozen=True, slots=True)
class Registered:
    """A version of the registry, loaded."""

    model_id: uuid.UUID
    version: str
    artefact: Artefact

    @property
    def model_type(self) -> str:
        """``xgboost``, ``logistic`` or ``blend``."""
        return self.artefact.trained.model_type


def pack(artefact: Artefact) -> bytes:
    """The bytes: JSON, with the trained model's own bytes inside. Never a pickle."""
    document = {
        "format": FORMAT,
        "combination": artefact.combination.as_dict(),
        "threshold": artefact.threshold,
        "model": base64.b64encode(artefact.trained.to_bytes()).decode(),
    }
    return json.dumps(document, sort_keys=True, allow_nan=False).encode()


def whole(data: bytes, sha256: str) -> bytes:
    """The bytes, where they have the digest that they were registered with; else BrokenArtefact."""
    if digest(bytes(data)) != sha256:
        raise BrokenArtefact("the registry's bytes do not have the digest they were stored with")
    return bytes(data)


def unpack(data: bytes) -> Artefact:
    """The model in the bytes; :class:`BrokenArtefact` says what is wrong with them."""
    # XGBoost takes a second to import, and only a process that scores by a model needs it.
    from noc.fraud.training.model import TrainedModel

    try:
        document: Any = json.loads(data)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise BrokenArtefact(f"this is no model of the format {FORMAT}")
        trained = TrainedModel.from_bytes(base64.b64decode(document["model"], validate=True))
        return Artefact(
            trained, combination.read(document["combination"]), float(document["threshold"])
        )
    except (binascii.Error, KeyError, TypeError, ValueError, RecursionError) as error:
        raise BrokenArtefact(str(error) or type(error).__name__) from error


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
