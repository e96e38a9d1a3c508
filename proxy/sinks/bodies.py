"""Bodies as they may be kept: masked, cut to their size, compressed.

A request is kept as its client sent it, and a whole reply as it came; what any pattern could match
is looked for first, and where there are patterns, both are written anew. A stream is kept as the
whole reply that its events add up to, so that nothing in it stands in pieces. It knows no store.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from proxy.config.settings import BodySettings
from proxy.dialects.gathered import gathered
from proxy.exchange.observation import Bodies, Observation
from proxy.sinks.masking import joined, masked, masked_part, written
from proxy.sinks.redaction import TIMEOUT, WITHHELD, Mask, Slow

EDGE: Final = 300  # characters: a secret of so many, half of which was cut off, is not shown
SECONDS: Final = 0.25  # for all patterns on both bodies of an exchange
LEVEL: Final = 6  # of compression
CANT_READ: Final = (ValueError, RecursionError)


class Rule:
    """What is kept of a route's bodies."""

    def __init__(self, settings: BodySettings, patterns: Sequence[str]) -> None:
        self.most = settings.max_bytes
        self.mask = Mask([*patterns, *settings.redact])


class Scribe:
    """Writes bodies as they may be kept; counts those that were to be kept and are not.

    `write` is called from one thread, all else from another. `clock` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        self._lost = 0
        self._skipped = 0

    def adopt(self, routes: Mapping[str, BodySettings], patterns: Sequence[str]) -> None:
        """Keep the bodies of these routes from now on; `patterns` are masked everywhere."""
        self._rules = {name: Rule(settings, patterns) for name, settings in routes.items()}

    @property
    def dropped(self) -> int:
        """How many exchanges' bodies found no room on their way here, or nobody had time for."""
        return self._lost + self._skipped

    def skip(self, seen: Observation) -> Observation:
        """Return an observation without its bodies, and count them."""
        self._skipped += 1
        return replace(seen, bodies=None)

    def write(self, seen: Observation) -> Observation:
        """Return an observation with its bodies as they may be kept; may take a while."""
        bodies, rule = seen.bodies, self._rules.get(seen.route or "")
        if bodies is None:
            return seen
        if rule is None:  # the route keeps none any more
            return replace(seen, bodies=None)
        if bodies.lost:
            self._lost += 1
            return replace(seen, bodies=None)
        return replace(seen, bodies=Writing(rule, seen.dialect, self._clock).write(bodies))


class Writing:
    """The writing of one exchange's bodies."""

    def __init__(self, rule: Rule, dialect: str, clock: Callable[[], float]) -> None:
        self._rule = rule
        self._dialect = dialect
        self._clock = clock
        self._until = clock() + SECONDS

    def write(self, bodies: Bodies) -> Bodies:
        """Return bodies as they may be kept."""
        self._rule.mask.recover()
        request, asked = self._body(bodies.request, bodies.request_bytes)
        if bodies.events:
            reply, answered = self._stream(bodies.reply, bodies.reply_bytes)
        else:
            reply, answered = self._body(bodies.reply, bodies.reply_bytes)
        return replace(
            bodies,
            request=zlib.compress(request, LEVEL),
            reply=zlib.compress(reply, LEVEL),
            request_whole=asked,
            reply_whole=answered,
        )

    def _body(self, beginning: bytes, size: int) -> tuple[bytes, bool]:
        """Return what is kept of a body of `size` bytes, and whether that is all of it."""
        if size and not beginning:
            return b"[binary, %d bytes]" % size, False
        whole = len(beginning) == size
        if not self._rule.mask:
            return self._cut(beginning, whole=whole)
        if whole:
            try:
                return self._value(json.loads(beginning), whole=True)
            except CANT_READ:
                pass
        text, edge = beginning.decode("utf-8", "replace"), None if whole else -EDGE
        return self._masked(lambda: masked_part(text, self._on)[:edge], whole=whole)

    def _stream(self, beginning: bytes, size: int) -> tuple[bytes, bool]:
        """Return the whole reply that a stream's events add up to, as far as it is kept."""
        whole = len(beginning) == size
        try:
            return self._value(gathered(self._dialect, beginning), whole=whole)
        except CANT_READ:
            return b"[unreadable, %d bytes]" % size, False

    def _value(self, value: Any, *, whole: bool) -> tuple[bytes, bool]:
        if not self._rule.mask:
            return self._cut(written(value).encode(), whole=whole)
        edge = 0 if whole else EDGE
        return self._masked(lambda: written(masked(value, self._on, edge)), whole=whole)

    def _masked(self, make: Callable[[], str], *, whole: bool) -> tuple[bytes, bool]:
        try:
            return self._cut(joined(make()).encode(), whole=whole)
        except Slow:
            return WITHHELD.encode(), False

    def _on(self, text: str) -> str:
        left = self._until - self._clock()
        if left <= 0:
            self._rule.mask.charge()
            raise Slow
        return self._rule.mask.on(text, seconds=min(TIMEOUT, left), aside=True)

    def _cut(self, text: bytes, *, whole: bool) -> tuple[bytes, bool]:
        most = self._rule.most
        if len(text) <= most:
            return text, whole
        return text[:most].decode("utf-8", "ignore").encode(), False
