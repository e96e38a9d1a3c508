"""The pricer: whose prices hold for an exchange, and so what it cost.

A variant's own prices go before those of the list, which is asked by upstream and model.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from proxy.exchange.observation import Observation, Usage
from proxy.pricing.prices import Prices, cost, owed

Listed = Callable[[Observation], Prices | None]


class Pricer:
    """Prices by `own`, by route and variant, and else as `listed` says; None: unknown."""

    def __init__(self, own: Mapping[str, Mapping[str, Prices]], listed: Listed) -> None:
        self._own = own
        self._listed = listed

    def price(self, seen: Observation) -> Observation:
        """Return `seen` with what it cost; as it was where nobody charges or that is unknown."""
        if seen.attempts == 0 or seen.dialect == "none":
            return seen
        own = self._own.get(seen.route or "", {}).get(seen.variant_served or "")
        if own is not None and own.free:
            return replace(seen, cost_usd=0.0) if owed(seen) else seen
        usage = charged(seen)
        if usage.prompt_tokens is None:
            return seen
        prices = self._listed(seen) if own is None else own
        spent = None if prices is None else cost(usage, prices)
        return seen if spent is None else replace(seen, cost_usd=spent)


def charged(seen: Observation) -> Usage:
    """Return the tokens that are charged for: an embedding has none of a reply."""
    usage = seen.usage
    return replace(usage, response_tokens=0) if seen.dialect == "embeddings" else usage
