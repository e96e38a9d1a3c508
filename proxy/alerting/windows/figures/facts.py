"""Facts: what one finished exchange says to each rule; None: nothing.

Of a share it is 1 where it happened and 0 where it did not; of a time, milliseconds; of an amount,
how much. Whether a client saw the exchange at all is for whoever asks. It keeps nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from proxy.alerting.windows.rules import WindowAlert
from proxy.exchange.observation import Observation
from proxy.exchange.outcome import FAILED, JUDGED, Outcome
from proxy.quality.signals import Check, Signal, replied


def failure(seen: Observation) -> float | None:
    """Return whether an exchange failed, where that is anybody's doing but the caller's."""
    return float(seen.outcome in FAILED) if seen.outcome in JUDGED else None


def latency(seen: Observation) -> float | None:
    """Return how long a model's whole reply took."""
    whole = seen.outcome is Outcome.COMPLETED and seen.attempts and seen.dialect != "none"
    return seen.latency_ms if whole else None


def first_token(seen: Observation) -> float | None:
    """Return when a stream that came to its end began."""
    return None if latency(seen) is None else seen.ttft_ms


def gives(seen: Observation, signal: Signal) -> float | None:
    """Return whether a reply gives a signal."""
    return float(signal in seen.signals) if replied(seen) else None


def broken(seen: Observation) -> float | None:
    """Return whether a reply that was held against a form has not got it."""
    held = seen.format_check in (Check.KEPT, Check.BROKEN)
    return float(seen.format_check == Check.BROKEN) if held else None


def tokens(seen: Observation) -> float | None:
    """Return the tokens of request and reply, as far as they are known."""
    return float((seen.usage.prompt_tokens or 0) + (seen.usage.response_tokens or 0)) or None


def cost(seen: Observation) -> float | None:
    """Return what it cost, where it is known to have cost something."""
    return seen.cost_usd or None


SAYS: Final[Mapping[WindowAlert, Callable[[Observation], float | None]]] = {
    WindowAlert.ERROR_RATE: failure,
    WindowAlert.LATENCY_P95: latency,
    WindowAlert.TTFT_P95: first_token,
    WindowAlert.SHORT_RATE: partial(gives, signal=Signal.SHORT),
    WindowAlert.REFUSALS: partial(gives, signal=Signal.REFUSAL),
    WindowAlert.FORMAT_FAILURES: broken,
    WindowAlert.TOKENS_PER_MINUTE: tokens,
    WindowAlert.COST_PER_HOUR: cost,
}


def served_by(seen: Observation) -> str | None:
    """Return the variant that served, or else the one that was to."""
    return seen.variant_served or seen.variant_assigned


def failed_over(seen: Observation) -> bool:
    """Return whether the variant that was to serve failed, and another took its place."""
    return seen.variant_assigned is not None and served_by(seen) != seen.variant_assigned


def by_split(seen: Observation) -> bool:
    """Return whether chance dealt an exchange out: only what it has tells variants apart."""
    return not (seen.forced or seen.pinned)
