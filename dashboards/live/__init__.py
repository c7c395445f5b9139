"""Parts of the live page: what is done with alerts from it, its controls, the wallboard."""
