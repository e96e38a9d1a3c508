"""How a change gets in force: checked, appended, pushed to every worker, acknowledged.

change         what is asked for, answered and refused with
publisher      from a change's check to its answer
turns          one change after the other, each audited
history        the versions that are kept
delivery       settings brought to every worker, late ones replaced
in_force       what is in force, and how the next version is written
beginning      what a start finds to put in force
configuration  what the file says

Only the words are handed out here, so that who needs no more loads no more.
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
