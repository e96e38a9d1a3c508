"""Hosted models: who of the configured upstreams may be in the price list, and by which name.

The name is that of the model which served, as its upstream said; but one that is configured as a
fine-tuned model is that one, whatever its upstream calls it.
"""

from collections.abc import Callable
from threading import Thread

from proxy.config.fields import DEFAULT_PORTS
from proxy.config.settings import DataPlane, UpstreamSettings
from proxy.exchange.observation import Observation
from proxy.pricelist.listed import PriceList, load, public, tuned
from proxy.pricing import Prices


class Hosted:
    """The models that `plane` may ask for, by `prices`, which outlives it."""

    def __init__(self, plane: DataPlane, prices: PriceList) -> None:
        self._prices = prices
        self._places = {
            name: (address(each), each.host)
            for name, each in plane.upstreams.items()
            if public(each.host)
        }
        self._tuned = {
            (route.name, variant.name): variant.model
            for route in plane.table.routes.values()
            for variant in route.variants
            if variant.model is not None and tuned(variant.model)
        }

    def prepare(self, begin: Callable[[Callable[[], None]], None] | None = None) -> None:
        """Begin to load the list, where it may be asked; nobody waits for it."""
        if self._places:
            (begin or aside)(load)

    def listed(self, seen: Observation) -> Prices | None:
        """Return the prices by which an exchange is charged; None: they are unknown."""
        place = self._places.get(seen.upstream or "")
        model = self._tuned.get((seen.route or "", seen.variant_served or ""), seen.model_served)
        if place is None or model is None:
            return None
        return self._prices.prices(*place, model, seen.started_at)


def aside(work: Callable[[], None]) -> None:
    """Do it on a thread of its own, which ends with the process."""
    Thread(target=work, name="pricelist", daemon=True).start()


def address(upstream: UpstreamSettings) -> str:
    """Return where an upstream stands, as the list knows it."""
    usual = upstream.port == DEFAULT_PORTS[upstream.scheme]
    port = "" if usual else f":{upstream.port}"
    return f"{upstream.scheme}://{upstream.host}{port}{upstream.prefix}"
