"""Prices: what a million tokens cost, and so what the tokens of one exchange came to.

Unknown is None, never zero. It knows neither models nor where a price comes from.
"""

from msgspec import Struct

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import Outcome

MILLION = 1_000_000
UNCHARGED = frozenset({Outcome.REJECTED, Outcome.UPSTREAM_ERROR})  # an error instead of a reply


class Above(Struct, frozen=True, kw_only=True):
    """The prices of a request with more than `tokens` of input: of all its tokens."""

    tokens: int
    prices: "Prices"


class Prices(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens."""

    input: float
    cached_input: float | None = None  # None: as other input
    output: float | None = None  # None: unknown, or the model has no output
    above: tuple[Above, ...] = ()  # by rising `tokens`

    @property
    def free(self) -> bool:
        """Whether nothing costs anything, known or not."""
        return not (self.input or self.cached_input or self.above) and self.output == 0

    def of(self, tokens: int) -> "Prices":
        """Return the prices that hold for a request of so many tokens of input."""
        holding = self
        for each in self.above:
            if tokens > each.tokens:
                holding = each.prices
        return holding


FREE = Prices(input=0.0, cached_input=0.0, output=0.0)


def cost(usage: Usage, prices: Prices) -> float | None:
    """Return what `usage` costs in US dollars; None: a count or a price is unknown.

    Cached tokens are among those of the prompt, and reasoning is among those of the reply.
    """
    prompt, reply = usage.prompt_tokens, usage.response_tokens
    if prompt is None or reply is None:
        return None
    holding = prices.of(prompt)
    if reply and holding.output is None:
        return None
    cached = min(usage.cached_tokens or 0, prompt)
    cached_price = holding.input if holding.cached_input is None else holding.cached_input
    spent = (prompt - cached) * holding.input + cached * cached_price
    return (spent + reply * (holding.output or 0.0)) / MILLION


def owed(seen: Observation) -> bool:
    """Return whether somebody may charge for an exchange.

    A model was asked through an API that is read here, and it did not answer with an error.
    """
    asked = seen.attempts > 0 and seen.dialect != "none"
    return asked and (seen.outcome not in UNCHARGED or seen.cost_usd is not None)
