"""Metrics: what variants are compared by, in the order in which people read it.

A rate is a share of requests, a mean an amount for each, a quantile a time that so many stay
within. Where more of it is worse it is `harmful`; of tokens nobody can say.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from proxy.experiments.scope import Of, Sort, broken, failed, gives
from proxy.quality.signals import Signal


class Rate(Struct, frozen=True):
    """The share of exchanges that something happened to."""

    name: str
    of: Of
    happened: Callable[[Sort], bool]
    unit: str = "share"
    harmful: bool = True


class Mean(Struct, frozen=True):
    """What completed exchanges have of something, on average, `times` so many; unknown is none."""

    name: str
    attribute: str  # of an observation
    unit: str
    harmful: bool
    times: float = 1.0
    scale: float = 1  # it is added up in whole numbers, so many times as large
    of: Of = Of.COMPLETED


class Quantile(Struct, frozen=True):
    """The time that a share of completed exchanges stays within."""

    name: str
    column: str  # of an observation
    share: float
    unit: str = "ms"
    harmful: bool = True
    of: Of = Of.COMPLETED


Metric = Rate | Mean | Quantile

SIGNALS: Final = (
    *(Signal.SHORT, Signal.EMPTY, Signal.REFUSAL, Signal.TRUNCATED),
    *(Signal.LENGTH, Signal.REPETITION),
)
RATES: Final = (
    Rate("error_rate", Of.JUDGED, failed),
    *(Rate(f"{each}_rate", Of.REPLIED, partial(gives, signal=each)) for each in SIGNALS),
    Rate("format_broken_rate", Of.FORMED, broken),
)
QUANTILES: Final = (
    Quantile("latency_p50_ms", "latency_ms", 0.5),
    Quantile("latency_p95_ms", "latency_ms", 0.95),
    Quantile("ttft_p50_ms", "ttft_ms", 0.5),
    Quantile("ttft_p95_ms", "ttft_ms", 0.95),
)
MEANS: Final = (
    Mean("prompt_tokens", "usage.prompt_tokens", "tokens", harmful=False),
    Mean("response_tokens", "usage.response_tokens", "tokens", harmful=False),
    Mean("cost_per_1000_usd", "cost_usd", "usd", harmful=True, times=1000.0, scale=1e9),
)
METRICS: Final[tuple[Metric, ...]] = (RATES[0], *QUANTILES, *MEANS, *RATES[1:])
