"""What turnout writes itself: heads in both directions, errors and probes, the model list."""
