"""Facts: what one finished exchange says to the rules, as values by the rules' names.

Of a share it is 1 where it happened and 0 where it did not; of a time, milliseconds; of an amount,
how much. Shadows say nothing of what clients got, but use tokens and cost money like others. It
keeps nothing.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from proxy.alerting.windows.rules import WindowAlert
from proxy.exchange.observation import Observation
from proxy.exchange.outcome import FAILED, JUDGED, Outcome
from proxy.quality.signals import Check, Signal, replied


class Fact(NamedTuple):
    """One value of one exchange."""

    name: WindowAlert
    value: float


FAILURE: Final = Fact(WindowAlert.ERROR_RATE, 1.0)


def of_variant(seen: Observation) -> Iterator[Fact]:
    """Yield what a client's exchange says of the variant that served it, or was to."""
    if seen.outcome in JUDGED:
        yield Fact(WindowAlert.ERROR_RATE, float(seen.outcome in FAILED))
    if seen.outcome is Outcome.COMPLETED and seen.attempts and seen.dialect != "none":
        yield Fact(WindowAlert.LATENCY_P95, seen.latency_ms)
        if seen.ttft_ms is not None:
            yield Fact(WindowAlert.TTFT_P95, seen.ttft_ms)
    if replied(seen):
        yield Fact(WindowAlert.SHORT_RATE, float(Signal.SHORT in seen.signals))
        yield Fact(WindowAlert.REFUSALS, float(Signal.REFUSAL in seen.signals))
    if seen.format_check in (Check.KEPT, Check.BROKEN):
        yield Fact(WindowAlert.FORMAT_FAILURES, float(seen.format_check == Check.BROKEN))


def of_route(seen: Observation) -> Iterator[Fact]:
    """Yield what an exchange, shadows among them, says of its route as a whole."""
    tokens = (seen.usage.prompt_tokens or 0) + (seen.usage.response_tokens or 0)
    if tokens:
        yield Fact(WindowAlert.TOKENS_PER_MINUTE, float(tokens))
    if seen.cost_usd:
        yield Fact(WindowAlert.COST_PER_HOUR, seen.cost_usd)


def served_by(seen: Observation) -> str | None:
    """Return the variant that served, or else the one that was to."""
    return seen.variant_served or seen.variant_assigned


def failed_over(seen: Observation) -> bool:
    """Return whether the variant that was to serve failed, and another took its place."""
    return seen.variant_assigned is not None and served_by(seen) != seen.variant_assigned


def by_split(seen: Observation) -> bool:
    """Return whether chance dealt an exchange out: only what it has tells variants apart."""
    return not (seen.forced or seen.pinned)
