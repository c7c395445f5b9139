"""``noc up`` with tiny programs in place of the product's: run by the launcher's tests.

Arguments: data folder, port, and names of programs to add (``crasher``, ``stubborn``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from noc.launcher.plan import Options, Plan
from noc.launcher.process import ProcessSpec
from noc.launcher.up import bring_up

WEB = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_): pass
print("owner address:", repr(os.environ.get("DATABASE_ADMIN_URL")))
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
IDLE = "import time; time.sleep(600)"
CRASHER = "import sys; sys.exit('ERROR the crasher crashed')"
# Neither it nor its child, in a process group of its own, listens to SIGTERM.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0: os.setpgrp()
time.sleep(600)
"""
OPTIONAL = {"crasher": CRASHER, "stubborn": STUBBORN}
MIGRATE = "import os; assert 'noc_owner' in os.environ['DATABASE_ADMIN_URL']; print('migrated')"


def plan(options: Options, environment: Mapping[str, str], admin_url: str) -> Plan:
    """Stand-ins; those named on the command line added."""

    def program(name: str, source: str, *arguments: str) -> ProcessSpec:
        return ProcessSpec(name, (sys.executable, "-c", source, *arguments), environment)

    owner = {**environment, "DATABASE_ADMIN_URL": admin_url}
    return Plan(
        keep=(
            program("web", WEB, str(options.port)),
            program("worker-1", IDLE),
            *(program(name, OPTIONAL[name]) for name in sys.argv[3:]),
        ),
        migrate=(ProcessSpec("migrate", (sys.executable, "-c", MIGRATE), owner),),
        greeting=program("accounts", "print('sign in as somebody')"),
    )


def main() -> None:
    """Bring it up, with errors shown as the command shows them."""
    try:
        bring_up(Options(Path(sys.argv[1]), port=int(sys.argv[2])), plan)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
