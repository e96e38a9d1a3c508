"""The checker: which replies are held against a form, and what is said of them.

A route's own form goes before the one that a request asks for. Of the replies that are due a
share is looked at, chosen by the request's id; the others are unchecked, and so is what can't be
told within bounds. Where many in a row cost all that they may, nothing is looked at for a while: a
client chooses the schema.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from proxy.config.settings import Form, Looks
from proxy.exchange.observation import Observation, Texts
from proxy.formats.asked import asked_form
from proxy.formats.forms import Ready
from proxy.formats.schemas import Costly, Uncheckable
from proxy.quality import Check, judgeable, replies_of

ALLOWANCE: Final = 20.0  # costly checks in a row; one grows back every hundred replies
GROWTH: Final = 0.01
KEPT: Final = 128  # forms that are ready
SENT_CHARS: Final = 65_536  # of so long a reply perhaps only the beginning came
DICE: Final = 2**32


class Checker:
    """Checks by what `routes` look for where a route is named there, by `default` elsewhere."""

    def __init__(self, default: Looks, routes: Mapping[str, Looks]) -> None:
        self._default = default
        self._routes = routes
        self._ready = lru_cache(KEPT)(self._prepare)
        self._allowance = ALLOWANCE

    def due(self, seen: Observation) -> bool:
        """Return whether `check` has something to look at; quick."""
        texts = seen.texts
        if texts is None:
            return False
        looks = self._looks(seen)
        asked = looks.form is not None or texts.form != b""
        return asked and looks.check_percent > 0 and judgeable(seen)

    def check(self, seen: Observation) -> Observation:
        """Return an observation that is due with what came of the check; may take a while."""
        looks, texts = self._looks(seen), seen.texts or Texts()
        self._allowance = min(ALLOWANCE, self._allowance + GROWTH)
        if self._allowance < 1:
            return unchecked(seen)
        if crc32(seen.request_id.encode("utf-8", "replace")) >= looks.check_percent / 100 * DICE:
            return unchecked(seen)
        form = looks.form or asked_form(texts.form)
        held = None if form is None else self._ready(form)
        if held is None:
            return unchecked(seen)
        whole = len(texts.reply) < SENT_CHARS
        try:
            fit = all(held.fits(reply, whole=whole) for reply in replies_of(texts))
        except Uncheckable as failure:
            self._charge(failure)
            return unchecked(seen)
        return replace(seen, format_check=Check.KEPT if fit else Check.BROKEN)

    def _looks(self, seen: Observation) -> Looks:
        return self._routes.get(seen.route or "", self._default)

    def _prepare(self, form: Form) -> Ready | None:
        """Return a form that can be held against replies; None: it can't."""
        try:
            return Ready(form)
        except Uncheckable as failure:
            self._charge(failure)
            return None

    def _charge(self, failure: Uncheckable) -> None:
        if isinstance(failure, Costly):
            self._allowance -= 1


def unchecked(seen: Observation) -> Observation:
    """Return an observation whose form nobody looked at."""
    return replace(seen, format_check=Check.UNCHECKED)
