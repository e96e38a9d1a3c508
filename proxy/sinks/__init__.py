"""Where finished exchanges are written down: Prometheus metrics and the log."""
