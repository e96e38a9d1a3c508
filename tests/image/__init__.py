"""The image, built and driven for real: `make image`. It takes minutes: the suite leaves it."""
