"""The rules on what many exchanges come to: `alerts.error_rate` and the like."""

from proxy.config.schema.windows.rules import (
    NAMES,
    THRESHOLDS,
    ErrorRate,
    WindowAlerts,
    WorseThanBaseline,
)

__all__ = ["NAMES", "THRESHOLDS", "ErrorRate", "WindowAlerts", "WorseThanBaseline"]
