"""turnout: an inference proxy for teams that ship fine-tuned models.

The package is `proxy`, the distribution and the command are `turnout`. docs/architecture.md
is the map of the rooms.
"""

__version__ = "0.1.0"
