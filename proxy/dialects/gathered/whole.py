"""The bytes of a stream, as the whole reply that they add up to."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from proxy.dialects.gathered import choices, messages, responses
from proxy.dialects.gathered.growing import Value
from proxy.dialects.wire.sse import Events

GATHER: Final[dict[str, Callable[[Iterable[Value]], Value]]] = {
    "chat": choices.gather,
    "completions": choices.gather,
    "messages": messages.gather,
    "responses": responses.gather,
}


def gathered(dialect: str, stream: bytes) -> Value:
    """Return the reply that the events of a stream add up to.

    Events that can't be read, and one that was cut, are left out. ValueError: they make no sense
    together.
    """
    try:
        return GATHER[dialect](events_of(stream))
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("no stream of this API") from error


def events_of(stream: bytes) -> Iterator[Value]:
    """Yield the data of the events that are JSON objects."""
    events = Events()
    for _, data in [*events.feed(stream), *events.flush()]:
        try:
            # Halves of a pair of surrogates, in two events, are one character again once joined.
            said = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            yield said
