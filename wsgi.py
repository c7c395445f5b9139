"""What the web server runs: the application with the dashboards on top."""

from __future__ import annotations

from dashboards import mount
from noc import create_app

app = create_app()
mount(app)
