"""Sites, people, devices and the roster: who should be where, and when."""
