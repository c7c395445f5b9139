"""Parts of the page of a person, each with a callback of its own: one failing leaves the rest."""
