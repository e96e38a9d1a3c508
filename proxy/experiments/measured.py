"""Measured: what a store found of one variant's exchanges, as far as a comparison needs it."""

from collections.abc import Mapping

from msgspec import Struct

from proxy.experiments.ranks import Sketch
from proxy.experiments.sums import Sums


class Measured(Struct, frozen=True, kw_only=True):
    """One variant in one window of time."""

    variant: str
    requests: int = 0  # that the comparison is of, however they ended
    units: int = 0  # that they came from
    outcomes: Mapping[str, int] = {}  # of these requests
    left_out: Mapping[str, int] = {}  # requests that it is not of, by why
    unpriced: int = 0  # completed requests whose cost is unknown
    sums: Mapping[str, Sums] = {}  # by metric
    sketches: Mapping[str, Sketch] = {}  # by column
