"""Charts as pure functions: data in, figure out; they read no database and no request."""
