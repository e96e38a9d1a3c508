"""Who is told of alerts, and how: `alerts.notify`.

The kinds of value that only these settings have stand in `kinds`, the settings in `notify`.
"""

from proxy.config.schema.notify.notify import Notify

__all__ = ["Notify"]
