"""What a finished reply says about the model that gave it; so far, whether it is short."""

from proxy.quality.signals import judgeable, short

__all__ = ["judgeable", "short"]
