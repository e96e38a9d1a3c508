"""What a reply turns out to be, gathered piece by piece: the account that becomes a Reading.

It counts and keeps words up to a bound; which JSON they stand in is each dialect's business.
A piece of text belongs to a choice (one of the `n` replies asked for).
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from proxy.exchange.observation import Usage
from proxy.exchange.reading import Reading

Count = Annotated[int, Meta(ge=0, le=2**53)]  # tokens; more is no count, and no sink could hold it

MAX_MODEL: Final = 200  # characters
MAX_REASON: Final = 64
MAX_CHOICES: Final = 1024  # and tool calls told apart; no API gives as many
TOO_MANY: Final = -1  # the index that all further choices share
MANY_PIECES: Final = 64

CANT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NOTHING: Final = (Raw(), Raw(b"null"))

_text: Final = msgspec.json.Decoder(str)


class Words:
    """A text that grows by small pieces: the beginning that is kept, the length of it all."""

    __slots__ = ("_pieces", "chars")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.chars = 0

    def add(self, piece: str) -> None:
        """Keep `piece`, after what is kept."""
        pieces = self._pieces
        pieces.append(piece)
        if len(pieces) > MANY_PIECES:  # small strings cost ten times their characters
            pieces[:] = ["".join(pieces)]

    def __str__(self) -> str:
        return "".join(self._pieces)


class Account:
    """All that was learnt of one reply so far; a dialect writes, `reading` sums up."""

    __slots__ = (
        "_calls",
        "_choices",
        "_preview_chars",
        "_room",
        "_tool_text",
        "error",
        "finish_reason",
        "finished",
        "malformed",
        "model",
        "output_events",
        "refused",
        "tool_calls",
        "unseen",
        "usage",
    )

    def __init__(self, *, keep_text: int, preview_chars: int) -> None:
        self._room = keep_text  # characters that may still be kept, of all choices together
        self._preview_chars = preview_chars
        self._choices: dict[int, Words] = {}
        self._tool_text = Words()
        self._calls: dict[tuple[int, int], str | None] = {}
        self.usage: Usage | None = None
        self.model: str | None = None
        self.finish_reason: str | None = None
        self.finished = False
        self.refused = False
        self.error = False
        self.unseen = False  # there is, or will be, a text that does not pass here
        self.tool_calls = 0
        self.malformed = 0
        self.output_events = 0

    def said(self, index: int, piece: str) -> None:
        """Add words to a choice; without any, it is there all the same."""
        words = self._choices.get(index) or self._begin(index)
        words.chars += len(piece)
        if self._room > 0:
            self._keep(words, piece)

    def called(self, index: int, call: int, identity: str | None) -> None:
        """Note a piece of the tool call at place `call` of a choice; a new id is a new call."""
        known = self._calls.get((index, call), "")
        if known == "" or (identity and known and identity != known):
            self.tool_calls += 1
        if len(self._calls) < MAX_CHOICES:
            self._calls[index, call] = identity or known or None

    def tool_words(self, *pieces: str) -> None:
        """Add a tool's name or arguments."""
        for piece in pieces:
            self._keep(self._tool_text, piece)

    def named(self, model: str | None) -> None:
        """Note the model that the reply says it is from, once."""
        if model and self.model is None:
            self.model = model[:MAX_MODEL]

    def ended(self, reason: str | None) -> None:
        """Note why the model stopped; the first choice to say so decides."""
        if reason and self.finish_reason is None:
            self.finish_reason = reason[:MAX_REASON]

    def counted(self, usage: Usage | None) -> None:
        """Note the upstream's own count; a later one replaces it."""
        if usage is not None and usage != Usage():
            self.usage = usage

    def reading(self) -> Reading:
        """Return what is known now."""
        text = self._text()
        return Reading(
            usage=self.usage,
            model=self.model,
            text=text,
            reply_chars=self._reply_chars(),
            preview=text[: self._preview_chars],
            finish_reason=self.finish_reason,
            finished=self.finished,
            refused=self.refused,
            tool_calls=self.tool_calls,
            error=self.error,
            malformed_events=self.malformed,
            output_events=self.output_events,
        )

    def _begin(self, index: int) -> Words:
        if len(self._choices) >= MAX_CHOICES:
            index = TOO_MANY
        return self._choices.setdefault(index, Words())

    def _keep(self, words: Words, piece: str) -> None:
        if len(piece) > self._room:
            piece = piece[: self._room]
        self._room -= len(piece)
        words.add(piece)

    def _text(self) -> str:
        words = (*self._choices.values(), self._tool_text)
        return "".join(map(str, words))

    def _reply_chars(self) -> int | None:
        """Return the length of the shortest choice, so that one empty reply among good ones shows.

        None where there was no reply in text: an error, or bytes that nobody could read.
        """
        if self._choices:
            return min(words.chars for words in self._choices.values())
        return None if self.error or self.malformed or self.unseen else 0


def as_text(raw: Raw) -> str:
    """Return a JSON string's text, or any other value's JSON; "" for null and nothing."""
    if raw in NOTHING:
        return ""
    try:
        return _text.decode(raw)
    except CANT_READ:
        return bytes(raw).decode("utf-8", "replace")
