"""Chat and completions: choices that grow by their deltas, or by their text."""

from collections.abc import Iterable
from typing import Any

from proxy.dialects.gathered.growing import Value, grow, grown


def gather(events: Iterable[Value]) -> Value:
    """Return the reply that these events add up to."""
    whole: Value = {}
    choices: dict[int, Value] = {}
    for event in events:
        for place, piece in enumerate(event.get("choices") or ()):
            index = piece.get("index")
            add(choices.setdefault(place if index is None else index, {}), piece)
        said = {name: value for name, value in event.items() if name != "choices"}
        whole |= {name: value for name, value in said.items() if value is not None}
    if str(whole.get("object")).endswith(".chunk"):
        whole["object"] = "chat.completion"
    if choices:
        whole["choices"] = [grown(choices[index]) for index in sorted(choices)]
    return whole


def add(choice: Value, piece: Value) -> None:
    """Add a piece to a choice; what is a delta in a stream is a message of a whole reply."""
    delta: Any = piece.get("delta")
    said = {name: value for name, value in piece.items() if name != "delta"}
    grow(choice, said if delta is None else {**said, "message": delta})
