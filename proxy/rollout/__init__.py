"""How the routing changes and how a change is undone: versions, changes, history, differences."""

from proxy.rollout.audit import AuditEntry
from proxy.rollout.contents import Contents, canonical, contents_of, digest
from proxy.rollout.declared import Verdict, judge
from proxy.rollout.difference import Difference, differences, told
from proxy.rollout.history import rollback_target
from proxy.rollout.version import Source, Version

__all__ = [
    "AuditEntry",
    "Contents",
    "Difference",
    "Source",
    "Verdict",
    "Version",
    "canonical",
    "contents_of",
    "differences",
    "digest",
    "judge",
    "rollback_target",
    "told",
]
