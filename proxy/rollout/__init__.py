"""How the routing changes and how a change is undone: versions, changes, history, differences."""

from proxy.rollout.contents import Contents, canonical, contents_of, digest
from proxy.rollout.version import Source, Version

__all__ = ["Contents", "Source", "Version", "canonical", "contents_of", "digest"]
