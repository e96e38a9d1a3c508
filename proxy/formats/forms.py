"""Forms: one form, ready to be held against the words of a reply.

JSON is JSON as it came: what stands in a fence of back-ticks, or after a word of greeting, is
none, for the program that reads the reply can't read it either. White space around it may be.
"""

from typing import Final

import msgspec
import regex

from proxy.config.settings import Form
from proxy.formats.schemas import Costly, Schema, Uncheckable

PATTERN_SECONDS: Final = 0.05
ANYTHING: Final = b"true"  # the schema that all JSON fits


class Ready:
    """A form; Uncheckable where nothing can be held against it."""

    def __init__(self, form: Form) -> None:
        self._json = form.json_schema is not None
        self._schema = None
        if form.json_schema is not None and form.json_schema != ANYTHING:
            self._schema = Schema(form.json_schema)
        self._pattern = None if form.regex is None else regex.compile(form.regex)
        self._max_chars = form.max_chars

    def fits(self, reply: str, *, whole: bool) -> bool:
        """Return whether a reply has the form; Uncheckable: it can't be told.

        Of a reply that is not `whole` there is only the beginning.
        """
        if self._max_chars is not None and len(reply) > self._max_chars:
            return False
        if not whole:
            raise Uncheckable("it is too long")
        return self._matches(reply.strip()) and self._is_json(reply)

    def _matches(self, reply: str) -> bool:
        if self._pattern is None:
            return True
        try:
            return self._pattern.fullmatch(reply, timeout=PATTERN_SECONDS) is not None
        except TimeoutError as late:
            raise Costly("its pattern takes too long") from late

    def _is_json(self, reply: str) -> bool:
        if not self._json:
            return True
        try:
            value = msgspec.json.decode(reply)
        except RecursionError as deep:
            raise Uncheckable("it is nested too deeply") from deep
        except (msgspec.MsgspecError, UnicodeError):
            return False
        return self._schema is None or self._schema.holds(value)
