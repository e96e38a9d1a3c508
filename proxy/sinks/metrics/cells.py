"""Cells: counters and histograms as plain slots, shown to Prometheus only when it asks.

A cell costs a few tenths of a microsecond an event, where the client library's own children
cost two. A cell knows its numbers and its label values; it knows neither which exchange moved
it nor HTTP. Cells are written by one thread; `read` may run in another.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]


class Count:
    """One counter's number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Spread:
    """One histogram's numbers: a count a bucket, the last one unbounded, and the sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, values: Iterable[float]) -> None:
        """Count each value in the first bucket that it does not exceed."""
        for value in values:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.total += value


class Counter:
    """A counter: a `Count` for each combination of label values."""

    kind = "counter"

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        self.name = name  # with its _total
        self.text = text
        self.labels = labels
        self.cells: dict[Labels, Count] = {}

    def at(self, *values: str) -> Count:
        """Return the cell for these label values; it begins with the first call."""
        return self.cells.setdefault(values, Count())

    def read(self) -> Metric:
        """Return the family as it stands."""
        family = CounterMetricFamily(self.name, self.text, labels=self.labels)
        for values, cell in list(self.cells.items()):
            family.add_metric(values, cell.value)
        return family


class Histogram:
    """A histogram: a `Spread` for each combination of label values."""

    kind = "histogram"

    def __init__(self, name: str, text: str, labels: Labels, bounds: Sequence[float]) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self.bounds = tuple(bounds)
        self.cells: dict[Labels, Spread] = {}
        self._edges = [*map(floatToGoString, self.bounds), "+Inf"]

    def at(self, *values: str) -> Spread:
        """Return the cell for these label values; it begins with the first call."""
        cell = self.cells.get(values)
        if cell is None:
            cell = self.cells[values] = Spread(self.bounds)
        return cell

    def read(self) -> Metric:
        """Return the family as it stands, buckets cumulative, without cells that never moved."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        for values, cell in list(self.cells.items()):
            if not any(cell.counts):
                continue
            buckets = list(zip(self._edges, accumulate(cell.counts), strict=True))
            family.add_metric(values, buckets, cell.total)
        return family


class Reading:
    """A metric that is kept elsewhere and asked for at each scrape.

    A name that ends in _total is a counter's, any other a gauge's.
    """

    def __init__(
        self,
        name: str,
        text: str,
        labels: Labels,
        source: Callable[[], Sequence[tuple[Labels, float]]],
    ) -> None:
        self.kind = "counter" if name.endswith("_total") else "gauge"
        self.name = name
        self.text = text
        self.labels = labels
        self._source = source

    def read(self) -> Metric:
        """Return the family with what its source says now."""
        make = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        family = make(self.name, self.text, labels=self.labels)
        for values, number in self._source():
            family.add_metric(values, number)
        return family
