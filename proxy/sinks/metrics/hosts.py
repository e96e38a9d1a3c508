"""What is asked at each scrape of the hosts that share a store."""

from collections.abc import Callable, Mapping

from proxy.sinks.metrics.cells import Reading


def host_readings(counts: Callable[[], Mapping[str, int]]) -> list[Reading]:
    """Return how many hosts there are; `counts` is by how they stand to the newest version."""
    return [
        Reading(
            "turnout_hosts",
            "Hosts that share the store, as this one sees them: in_force (the newest version is), "
            "behind (an older one is), silent (not heard of for 10 seconds).",
            ("state",),
            lambda: [((state,), count) for state, count in counts().items()],
        )
    ]
