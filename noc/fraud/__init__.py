"""Attendance fraud: features, rules, scores and their reasons."""
