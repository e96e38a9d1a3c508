"""How the routing changes and how a change is undone: versions, changes, history, differences."""

from proxy.rollout.version import Source, Version

__all__ = ["Source", "Version"]
