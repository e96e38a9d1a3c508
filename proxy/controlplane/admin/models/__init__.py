"""What administration takes and answers, as models: the command line reads the same ones."""

from proxy.controlplane.admin.models.changes import (
    NewVariant,
    Pinning,
    Published,
    Reloaded,
    Rollback,
    Shadowing,
    Split,
    Switch,
    Why,
)
from proxy.controlplane.admin.models.exchanges import ExchangeRecord, ExchangeRecords, Story
from proxy.controlplane.admin.models.history import (
    Audit,
    AuditLine,
    Diff,
    Difference,
    VersionLine,
    Versions,
    WholeVersion,
)
from proxy.controlplane.admin.models.refusals import Outdated, Refused
from proxy.controlplane.admin.models.routing import (
    Explained,
    RouteState,
    Routing,
    Segment,
    ShadowState,
    VariantState,
)
from proxy.controlplane.admin.models.status import (
    AlertCount,
    Exchanges,
    LastReading,
    Status,
    Table,
    UpstreamStatus,
    WorkerStatus,
)

__all__ = [
    "AlertCount",
    "Audit",
    "AuditLine",
    "Diff",
    "Difference",
    "ExchangeRecord",
    "ExchangeRecords",
    "Exchanges",
    "Explained",
    "LastReading",
    "NewVariant",
    "Outdated",
    "Pinning",
    "Published",
    "Refused",
    "Reloaded",
    "Rollback",
    "RouteState",
    "Routing",
    "Segment",
    "ShadowState",
    "Shadowing",
    "Split",
    "Status",
    "Story",
    "Switch",
    "Table",
    "UpstreamStatus",
    "VariantState",
    "VersionLine",
    "Versions",
    "WholeVersion",
    "Why",
    "WorkerStatus",
]
