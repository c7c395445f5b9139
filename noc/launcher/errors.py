"""What stops the launcher, said to the person at the terminal."""

from __future__ import annotations

import click


class LauncherError(click.ClickException):
    """A condition a person can do something about; the message says what."""


class StopRequested(Exception):
    """A signal asked the launcher to stop while it was busy with something else."""
