"""Names: which words may become label values.

Only what the configuration names does; all else is `other`, so that no client and no upstream
can grow the number of series. Names stay once they were configured: exchanges that began
before a change still end under the name they began with.
"""

from collections.abc import Iterable

from proxy.exchange.observation import Observation
from proxy.routing.table import RoutingTable

OTHER = "other"

OPERATIONS = {  # dialect -> gen_ai.operation.name of the OpenTelemetry conventions
    "chat": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "responses": "chat",
    "messages": "chat",
}


class Names:
    """The configured names of routes, variants, upstreams and the variants' models."""

    def __init__(self) -> None:
        self._upstreams: set[str] = set()
        self._models: dict[str, dict[str, str]] = {}  # route -> variant -> model

    def adopt(self, table: RoutingTable, upstreams: Iterable[str]) -> None:
        """Add the names of `table` and of `upstreams` to those known."""
        self._upstreams.update(upstreams)
        for route in table.routes.values():
            models = self._models.setdefault(route.name, {})
            for variant in route.variants:
                models[variant.name] = variant.model or route.name

    def know(self, seen: Observation) -> bool:
        """Return whether whatever is named on a record is configured, or was."""
        models = self._models.get(seen.route or "", {})
        return (
            (seen.upstream is None or seen.upstream in self._upstreams)
            and (seen.route is None or seen.route in self._models)
            and (seen.variant_assigned is None or seen.variant_assigned in models)
            and (seen.variant_served is None or seen.variant_served in models)
        )

    def upstream(self, name: str | None) -> str:
        """Return `name` if an upstream has it, else `other`."""
        return name if name in self._upstreams and name is not None else OTHER

    def route(self, name: str | None) -> str:
        """Return `name` if a route has it, else `other`."""
        return name if name in self._models and name is not None else OTHER

    def variant(self, route: str, name: str | None) -> str:
        """Return `name` if a variant of `route` has it, else `other`."""
        known = self._models.get(route, {})
        return name if name in known and name is not None else OTHER

    def model(self, route: str, variant: str) -> str:
        """Return the model that `variant` asks its upstream for, as configured."""
        return self._models.get(route, {}).get(variant, OTHER)
