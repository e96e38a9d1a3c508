"""The schema: what a person may write in turnout.yaml. The docstrings are the reference.

    part        a part of the file
    costs       prices and budgets
    watching    what is looked for in replies, and what raises an alert
    windows     rules on what many exchanges come to
    notify      who is told of alerts
    records     what is written down
    routing     upstreams, variants, routes
    serving     keys, limits, listeners
    file        the file, whole
    described   all of it as a JSON Schema

Defaults come from `settings`, so they are said once. What one value must be like stands in
`fields`; how values must fit together stands in `check`.
"""

from proxy.config.schema.costs import Spend
from proxy.config.schema.described import described, inside, json_schema, target
from proxy.config.schema.file import File
from proxy.config.schema.notify import Notify
from proxy.config.schema.part import Part
from proxy.config.schema.records import KIB, Log, Previews, RouteStore, Tracing
from proxy.config.schema.routing import Route, Shadow, Upstream
from proxy.config.schema.serving import Admin, Key, Tls, Token
from proxy.config.schema.watching import Alerts, Format, Quality, RouteAlerts
from proxy.config.schema.windows import WindowAlerts

__all__ = [
    "KIB",
    "Admin",
    "Alerts",
    "File",
    "Format",
    "Key",
    "Log",
    "Notify",
    "Part",
    "Previews",
    "Quality",
    "Route",
    "RouteAlerts",
    "RouteStore",
    "Shadow",
    "Spend",
    "Tls",
    "Token",
    "Tracing",
    "Upstream",
    "WindowAlerts",
    "described",
    "inside",
    "json_schema",
    "target",
]
