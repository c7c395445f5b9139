"""What stops a training for good."""

from __future__ import annotations


class TrainingRefused(ValueError):
    """No honest model can be made of these rows; the message is a sentence for a person."""
