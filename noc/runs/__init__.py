"""Long work that people follow: its state, its progress, and how it is stopped."""
