"""Experiments: two variants side by side, and how sure one may be of what differs.

    scope       which exchanges count, and for what
    metrics     what variants are compared by
    sums        what is kept of each metric, by unit
    ranks       quantiles from values in order
    measured    what a store found of a variant
    intervals   between which values a difference may lie
    comparison  all rows, and what each comes to
    splits      what happened to the split meanwhile

Pure: it knows no database, no clock and no drawing.
"""

from proxy.experiments.comparison import Finding, Row, Value, compare
from proxy.experiments.measured import Measured
from proxy.experiments.ranks import Sketch
from proxy.experiments.splits import Turn, turns
from proxy.experiments.sums import Sums

__all__ = ["Finding", "Measured", "Row", "Sketch", "Sums", "Turn", "Value", "compare", "turns"]
