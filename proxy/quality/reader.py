"""The reader: which signals are read off the replies of which route.

Pure: what a route wants is configured elsewhere. It sees words and hands none on; it is for
whoever calls it to forget them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from proxy.exchange.observation import Observation, Texts
from proxy.quality.signals import ALL, Signal, read


class Looks(Protocol):
    """What is looked for on a route."""

    @property
    def signals(self) -> Sequence[str] | None:
        """The signals to read; None: all there are."""
        ...

    @property
    def short_reply_chars(self) -> int:
        """A reply with fewer characters is short."""
        ...


class Reader:
    """The looks in force: `routes` where a route is named there, `default` elsewhere."""

    def __init__(self, default: Looks, routes: Mapping[str, Looks]) -> None:
        self._default = wanted(default)
        self._routes = {name: wanted(looks) for name, looks in routes.items()}

    def read(self, seen: Observation) -> Observation:
        """Return the observation with the signals that its reply gives, mostly none."""
        signals, short_chars = self._routes.get(seen.route or "", self._default)
        replies = () if seen.texts is None else replies_of(seen.texts)
        given = read(seen, replies, short_chars=short_chars, wanted=signals)
        return replace(seen, signals=given) if given else seen


def wanted(looks: Looks) -> tuple[tuple[Signal, ...], int]:
    """Return the signals that are wanted, in the order in which they are told, and a threshold."""
    names = ALL if looks.signals is None else looks.signals
    return tuple(signal for signal in ALL if signal in names), looks.short_reply_chars


def replies_of(texts: Texts) -> tuple[str, ...]:
    """Return the words of each choice; a tool's words are with those of an only one."""
    if not texts.choices:
        return (texts.reply,)
    replies, begin = [], 0
    for length in texts.choices:
        replies.append(texts.reply[begin : begin + length])
        begin += length
    return tuple(replies)
