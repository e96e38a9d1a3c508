"""OpenAI's responses: their last event has the whole reply; without it, its pieces have."""

from collections.abc import Iterable

from proxy.dialects.gathered.growing import Value, grow, grown


def gather(events: Iterable[Value]) -> Value:
    """Return the reply that these events add up to."""
    whole: Value = {}
    items: dict[int, Value] = {}
    for event in events:
        kind, place = str(event.get("type")), event.get("output_index", 0)
        match event:
            case {"response": dict(response)}:
                whole |= response
            case {"item": dict(item)}:
                items[place] = {**items.get(place, {}), **item}
            case {"delta": str(delta)}:
                name = kind.removeprefix("response.").removesuffix(".delta")
                grow(items.setdefault(place, {}), {name: delta})
            case {"type": "error"}:
                whole["error"] = event
    if items and not whole.get("output"):
        whole["output"] = [grown(items[place]) for place in sorted(items)]
    return whole
