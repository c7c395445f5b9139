"""``python -m noc.launcher.migrations_check``: migrations lead to the models, and back.

On throwaway services: up to the newest, compare with the models, down to nothing, up again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from noc.launcher.errors import LauncherError
from noc.launcher.plan import child_environment
from noc.launcher.services import Services, embedded

STEPS = (("upgrade",), ("check",), ("downgrade", "base"), ("upgrade",), ("check",))


@click.command()
def main() -> None:
    """Check that the migrations and the models agree."""
    with tempfile.TemporaryDirectory(prefix="noc-migrations-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o711)
        with embedded(data_dir) as services:
            for step in STEPS:
                run_step(step, data_dir, services)
    click.echo("migrations are in step with the models")


def run_step(step: tuple[str, ...], data_dir: Path, services: Services) -> None:
    """Run ``noc db <step>`` as the owner; raises :class:`LauncherError` with what it said."""
    environment = child_environment(
        {
            "NOC_DATA_DIR": str(data_dir),
            "DATABASE_URL": services.app_url,
            "REDIS_URL": services.redis_url,
            "SECRET_KEY": "for the check alone",
        }
    )
    done = subprocess.run(
        [sys.executable, "-m", "noc", "db", *step],
        env={**environment, "DATABASE_ADMIN_URL": services.admin_url},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode != 0:
        raise LauncherError(f"`noc db {' '.join(step)}` failed:\n{done.stdout}")


if __name__ == "__main__":
    main()
