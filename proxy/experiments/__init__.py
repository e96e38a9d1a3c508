"""Experiments: two variants side by side, and how sure one may be of what differs.

    scope       which exchanges count, and for what
    metrics     what variants are compared by
    summaries/  exchanges in numbers that add up, by lots of units
    measured    what a summary says of a variant
    sums        what is kept of each metric, by lots
    quantiles   times that so many exchanges stay within
    intervals   between which values a difference may lie
    comparison  all rows, and what each comes to
    splits      what happened to the split meanwhile

Pure: it knows no database, no clock and no drawing.
"""

from proxy.experiments.comparison import Finding, Row, Value, compare
from proxy.experiments.measured import Measured, measured
from proxy.experiments.quantiles import Histogram
from proxy.experiments.splits import Turn, turns
from proxy.experiments.summaries import Counting, Increment, Summary, count, counting
from proxy.experiments.sums import Sums

__all__ = [
    "Counting",
    "Finding",
    "Histogram",
    "Increment",
    "Measured",
    "Row",
    "Summary",
    "Sums",
    "Turn",
    "Value",
    "compare",
    "count",
    "counting",
    "measured",
    "turns",
]
