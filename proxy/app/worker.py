"""A worker's service, put together; what it serves comes from control."""

import random
import time
from collections.abc import Callable

from proxy.channel import Tally
from proxy.channel.lifeline import WorkerLaunch
from proxy.config.settings import UpstreamSettings
from proxy.dataplane.service import Service
from proxy.exchange import Observation
from proxy.upstream import Upstream


def compose_worker(
    launch: WorkerLaunch, offer: Callable[[Observation], None], tally: Tally
) -> Service:
    """Return a worker's service."""
    # uvloop's own time is the loop's (CLOCK_MONOTONIC), but counts whole milliseconds.
    clock = time.monotonic

    def upstream(settings: UpstreamSettings) -> Upstream:
        return Upstream(settings, workers=launch.workers, clock=clock, dice=random.random)

    return Service(
        offer=offer,
        counts=tally,
        clock=clock,
        wall=time.time,
        random_bits=random.getrandbits,
        upstream=upstream,
    )
