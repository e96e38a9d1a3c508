"""Adding: what a batch adds to summaries is written beside it, each exchange once."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from zlib import compress, decompress

import msgspec
from sqlalchemy import Connection, insert

from proxy.exchange.observation import Observation
from proxy.experiments import Counting, Increment, count
from proxy.experiments.summaries import slot_of
from proxy.store.tables import INCREMENTS

FAST = 1  # zlib's level
Place = tuple[str, str, int]  # route, variant, slot


def add(connection: Connection, fresh: Iterable[tuple[Counting, Observation]]) -> None:
    """Add these, which were not kept before, each with how it counts."""
    found: dict[Place, Increment] = defaultdict(Increment)
    for how, seen in fresh:
        if seen.route is not None and seen.variant_assigned is not None:
            place = seen.route, seen.variant_assigned, slot_of(seen.started_at)
            count(found[place], how, seen)
    if found:
        connection.execute(insert(INCREMENTS), [row_of(*each) for each in found.items()])


def row_of(place: Place, increment: Increment) -> dict[str, Any]:
    """Return a row of INCREMENTS."""
    route, variant, slot = place
    packed = compress(msgspec.msgpack.encode(increment), FAST)
    return {"route": route, "variant": variant, "slot": slot, "increment": packed}


def read_increment(packed: bytes) -> Increment:
    """Return what such a row adds."""
    return msgspec.msgpack.decode(decompress(packed), type=Increment)
