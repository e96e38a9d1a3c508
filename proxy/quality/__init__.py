"""What a finished reply says of the model that gave it: signals, read off facts and words."""

from proxy.quality.reader import Looks, Reader, replies_of
from proxy.quality.signals import ALL, Check, Signal, by_design, judgeable, read, short

__all__ = [
    "ALL",
    "Check",
    "Looks",
    "Reader",
    "Signal",
    "by_design",
    "judgeable",
    "read",
    "replies_of",
    "short",
]
