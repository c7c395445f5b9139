"""The ``noc`` command, put together from the commands of each folder."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup

from noc.settings import INSTANCE_FILE

COMMANDS = (
    "noc.launcher.up:up",
    "noc.launcher.processes:web",
    "noc.launcher.processes:worker",
    "noc.launcher.processes:scheduler",
    "noc.identity.commands:tenants",
    "noc.identity.commands:users",
    "noc.identity.commands:tokens",
    "noc.runs.commands:jobs",
    "noc.events.commands:feed",
    "noc.importing:import_group",
    "noc.audit.commands:audit",
    "noc.fraud.retraining.commands:train",
    "noc.fraud.retraining.commands:models",
    "noc.fraud.retraining.commands:export",
    "noc.demo.commands:demo",
)
"""Where each command lives, as ``module:attribute``."""


def _create_app() -> Flask:
    from noc import create_app

    return create_app()


def _name_instance(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if not value:
        return
    if not (Path(value) / INSTANCE_FILE).exists() and "DATABASE_URL" not in os.environ:
        raise click.UsageError(
            f"{value} is not the folder of an instance: `noc up --data-dir {value}` makes it one."
        )
    os.environ["NOC_DATA_DIR"] = value


def _with_data_dir(command: click.Command) -> click.Command:
    """Let the command, and each below it, take ``--data-dir`` as ``noc up`` does."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _with_data_dir(child)
    elif not any(param.name == "data_dir" for param in command.params):
        command.params.append(
            click.Option(
                ["--data-dir"],
                type=click.Path(file_okay=False),
                help="Folder of the instance to talk to (or NOC_DATA_DIR).",
                expose_value=False,
                is_eager=True,
                callback=_name_instance,
            )
        )
    return command


def build() -> click.Group:
    """The whole command, with all its sub-commands."""
    group = FlaskGroup(
        name="noc",
        create_app=_create_app,
        add_default_commands=False,
        add_version_option=False,
        help="NOC Intelligence: the live control room of a security company.",
    )
    for place in COMMANDS:
        module, _, attribute = place.partition(":")
        command: Any = getattr(import_module(module), attribute)
        group.add_command(_with_data_dir(command))
    return group


def main() -> None:
    """Run the command."""
    # The scheduler and every worker read cron and clock in UTC, whatever the host's zone.
    os.environ["TZ"] = "UTC"
    build()()
