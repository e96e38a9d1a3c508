"""Adversity, end to end: every process is the real one, started by `turnout serve`."""
