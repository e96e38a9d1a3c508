"""What the list has: the prices of a model at an address, on a day.

The list is the data that came with the library genai-prices; it is never downloaded. A model has
the price under whose name it stands there: a fine-tuned one its own, never that of its base.
"""

import ipaddress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from proxy.pricing import Above, Prices

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

REMEMBERED = 1000  # models: what an upstream says that it served may be anything
TUNED = ("ft:", ".ft-", ":ft-")  # in the names of fine-tuned models: OpenAI's, Azure's, older ones
APART = ("requests_kcount", "output_reasoning_mtok", "output_citation_mtok")  # priced beside it
HERE = frozenset({"local", "localhost", "internal", "lan", "home", "test", "svc"})


class PriceList:
    """The list; loaded once it is asked for a host that may be in it, which takes a while."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ModelInfo | None] = {}
        self._read: dict[int, Prices | None] = {}  # by whose prices: those of the list never go

    def prices(self, url: str, host: str, model: str, at: float) -> Prices | None:
        """Return what `model` costs at `url`, whose host is given; None: it is not in the list.

        `at` is seconds since the epoch: prices change, some by the hour.
        """
        if not public(host):
            return None
        key = url, model
        if key not in self._found:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[key] = find(url, model)
        found = self._found[key]
        if found is None:
            return None
        said = found.get_prices(datetime.fromtimestamp(at, UTC))
        if id(said) not in self._read:
            self._read[id(said)] = read(said)
        return self._read[id(said)]


def load() -> None:
    """Load the list, if it is not yet."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # it takes its time

    get_snapshot()


def public(host: str) -> bool:
    """Return whether a host may be one that sells: it has a name that all the world knows."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.lower().rstrip(".").split(".")
        return len(labels) > 1 and labels[-1] not in HERE
    return False


def tuned(name: str) -> bool:
    """Return whether a name is that of a fine-tuned model."""
    return name.startswith(TUNED[0]) or any(mark in name for mark in TUNED[1:])


def find(url: str, model: str) -> "ModelInfo | None":
    """Return the list's entry of `model` at `url`; None: there is none."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # it takes its time

    try:
        _, found = get_snapshot().find_provider_model(model, None, None, url)
    except LookupError:
        return None
    return None if tuned(model.lower()) and not tuned(found.id) else found


def read(said: "ModelPrice") -> Prices | None:
    """Return what an entry says of text; None: nothing, or more than token counts tell."""
    if said.input_mtok is None or any(getattr(said, name) is not None for name in APART):
        return None
    tiers = {tier.start for tier in _tiers(said)}
    return _prices(
        said, 0, tuple(Above(tokens=start, prices=_prices(said, start)) for start in sorted(tiers))
    )


def _prices(said: "ModelPrice", start: int, above: tuple[Above, ...] = ()) -> Prices:
    """Return the prices that hold for more than `start` tokens of input."""
    return Prices(
        input=_price(said.input_mtok, start) or 0.0,
        cached_input=_price(said.cache_read_mtok, start),
        output=_price(said.output_mtok, start),
        above=above,
    )


def _price(value: Any, start: int) -> float | None:
    if value is None:
        return None
    holding = getattr(value, "base", value)
    for tier in getattr(value, "tiers", ()):
        if 0 < tier.start <= start:
            holding = tier.price
    return float(holding)


def _tiers(said: "ModelPrice") -> list[Any]:
    prices = said.input_mtok, said.cache_read_mtok, said.output_mtok
    return [tier for price in prices for tier in getattr(price, "tiers", ())]
