"""Training of a fraud model from any table of numbers with labels and times.

``fit`` makes a model, ``TrainedModel`` scores with it and explains, ``TrainingRefused`` says why
none can be made. Importing this imports neither pandas nor XGBoost nor scikit-learn.
"""

from noc.fraud.training.errors import TrainingRefused
from noc.fraud.training.fitting import fit
from noc.fraud.training.model import TrainedModel

__all__ = ["TrainedModel", "TrainingRefused", "fit"]
