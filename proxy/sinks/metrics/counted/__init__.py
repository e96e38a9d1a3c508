"""What is counted of exchanges beside their own figures: alerts, assignments, signals, costs."""

from proxy.sinks.metrics.counted.alerts import alert_readings
from proxy.sinks.metrics.counted.assignments import AssignmentMetrics, split_readings
from proxy.sinks.metrics.counted.costs import CostMetrics, budget_readings
from proxy.sinks.metrics.counted.quality import QualityMetrics
from proxy.sinks.metrics.counted.shadows import Shadow, ShadowMetrics, shadow_readings

__all__ = [
    "AssignmentMetrics",
    "CostMetrics",
    "QualityMetrics",
    "Shadow",
    "ShadowMetrics",
    "alert_readings",
    "budget_readings",
    "shadow_readings",
    "split_readings",
]
