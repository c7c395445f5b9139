"""The parts of the page about the model: who scores, training, versions, verdict, watching."""
