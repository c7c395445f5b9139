"""The Dash front end, mounted on the Flask application below ``/app/``."""
