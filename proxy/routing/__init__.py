"""Where a request goes: routes, their variants, the split between them, and the decision."""

from proxy.routing.decision import Dice, Router
from proxy.routing.explain import Explanation, Share, explain
from proxy.routing.split import BUCKETS, Segment, Split, bucket
from proxy.routing.table import Decision, Route, RoutingTable, Sticky, Variant

__all__ = [
    "BUCKETS",
    "Decision",
    "Dice",
    "Explanation",
    "Route",
    "Router",
    "RoutingTable",
    "Segment",
    "Share",
    "Split",
    "Sticky",
    "Variant",
    "bucket",
    "explain",
]
