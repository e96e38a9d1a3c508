"""A comparison, as it is shown."""

from pydantic import AwareDatetime

from proxy.controlplane.admin.models.forms import Answer


class Value(Answer):
    """A metric of one variant."""

    value: float | None
    """The metric; null: nothing has it."""
    requests: int
    """The requests that it is of."""
    events: int | None
    """A rate's: the requests that it happened to."""


class Row(Answer):
    """One metric of baseline and candidate."""

    metric: str
    """Its name."""
    unit: str
    """`share` (0 to 1), `ms`, `tokens` or `usd`."""
    baseline: Value
    """The baseline's."""
    candidate: Value
    """The candidate's."""
    difference: float | None
    """The candidate's less the baseline's."""
    low: float | None
    """Where the difference's 95 % interval begins; null: there is none."""
    high: float | None
    """Where it ends."""
    finding: str
    """`worse`, `better`, `different`, `none_shown` (the interval holds 0) or `too_little`."""
    reason: str | None
    """Why there is too little data."""


class Side(Answer):
    """One variant's requests."""

    variant: str
    """Its name."""
    requests: int
    """Those that the split gave it, however they ended."""
    units: int
    """The units that they came from, to within a percent of 100,000."""
    outcomes: dict[str, int]
    """How they ended; `rejected` and `client_gone` count for no metric."""
    left_out: dict[str, int]
    """Requests that did not come by the split: `forced`, `pinned`, `shadow`, `fallback`."""
    unpriced: int
    """Completed requests whose cost is unknown, and is not in the cost."""
    latency_ms: list[float]
    """The latencies that 1, 2, ... 99 percent of completed requests stay within."""


class Against(Answer):
    """A candidate beside the baseline."""

    side: Side
    """The candidate's requests."""
    rows: list[Row]
    """Metric by metric."""


class Comparison(Answer):
    """A route's baseline and candidates, side by side."""

    route: str
    """The route."""
    since: AwareDatetime
    """From when on requests began: the quarter of an hour that was asked for."""
    until: AwareDatetime
    """Before when they began: the end of one, or now."""
    baseline: Side
    """The baseline's requests."""
    candidates: list[Against]
    """Each candidate beside it."""
    notes: list[str]
    """What one must know to read it rightly."""
