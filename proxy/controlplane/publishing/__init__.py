"""How a change gets in force: checked, appended, pushed to every worker, acknowledged.

change      what is asked for and answered
"""

from proxy.controlplane.publishing.change import (
    Caller,
    Misfit,
    Published,
    Pushed,
    Reloaded,
    Stale,
    Unavailable,
)

__all__ = [
    "Caller",
    "Misfit",
    "Published",
    "Pushed",
    "Reloaded",
    "Stale",
    "Unavailable",
]
