"""What a reply turns out to be, gathered piece by piece: the account that becomes a Reading.

It counts and keeps words up to a bound; which JSON they stand in is each dialect's business.
A piece of text belongs to a choice (one of the `n` replies asked for).
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from proxy.exchange.observation import Usage
from proxy.exchange.reading import Reading

Count = Annotated[int, Meta(ge=0, le=2**53)]  # tokens; more is no count, and no sink could hold it

MAX_MODEL: Final = 200  # characters
MAX_REASON: Final = 64
MAX_CHOICES: Final = 1024  # and tool calls told apart; no API gives as many
NOT_COUNTED: Final = Usage()
TOO_MANY: Final = -1  # the index that all further choices share
MANY_PIECES: Final = 64

CANT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NOTHING: Final = (Raw(), Raw(b"null"))

_text: Final = msgspec.json.Decoder(str)


class Words(Struct, gc=False):
    """A text that grows by small pieces: the beginning that is kept, the length of it all."""

    pieces: list[str] = []
    chars: int = 0


class Account(Struct, gc=False):
    """All that was learnt of one reply so far; a dialect writes, `reading` sums up."""

    keep_text: int  # characters that may still be kept, of all choices together
    preview_chars: int
    choices: dict[int, Words] = {}
    calls: dict[tuple[int, int], str | None] = {}
    tool_text: list[str] = []
    usage: Usage | None = None
    model: str | None = None
    finish_reason: str | None = None
    finished: bool = False
    refused: bool = False
    error: bool = False
    unseen: bool = False  # there is, or will be, a text that does not pass here
    tool_calls: int = 0
    malformed: int = 0
    output_events: int = 0
    first_output_at: float | None = None
    last_output_at: float | None = None

    def said(self, index: int, piece: str) -> None:
        """Add words to a choice; without any, it is there all the same."""
        words = self.choices.get(index)
        if words is None:
            words = self._begin(index)
        size = len(piece)
        words.chars += size
        if size <= self.keep_text and len(words.pieces) < MANY_PIECES:  # as nearly all are
            words.pieces.append(piece)
            self.keep_text -= size
        else:
            self._keep(words.pieces, piece)

    def called(self, index: int, call: int, identity: str | None) -> None:
        """Note a piece of the tool call at place `call` of a choice; a new id is a new call."""
        known = self.calls.get((index, call), "")
        if known == "" or (identity and known and identity != known):
            self.tool_calls += 1
        if len(self.calls) < MAX_CHOICES:
            self.calls[index, call] = identity or known or None

    def tool_words(self, *pieces: str) -> None:
        """Add a tool's name or arguments."""
        for piece in pieces:
            self._keep(self.tool_text, piece)

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
        if usage is not None and usage != NOT_COUNTED:
            self.usage = usage

    def reading(self) -> Reading:
        """Return what is known now."""
        text = self._text()
        return Reading(
            usage=self.usage,
            model=self.model,
            text=text,
            choices=self._lengths(),
            reply_chars=self._reply_chars(),
            preview=text[: self.preview_chars],
            finish_reason=self.finish_reason,
            finished=self.finished,
            refused=self.refused,
            tool_calls=self.tool_calls,
            error=self.error,
            malformed_events=self.malformed,
            output_events=self.output_events,
            first_output_at=self.first_output_at,
            last_output_at=self.last_output_at,
        )

    def _begin(self, index: int) -> Words:
        if len(self.choices) >= MAX_CHOICES:
            index = TOO_MANY
        return self.choices.setdefault(index, Words())

    def _keep(self, pieces: list[str], piece: str) -> None:
        piece = piece[: self.keep_text]
        self.keep_text -= len(piece)
        pieces.append(piece)
        if len(pieces) > MANY_PIECES:  # small strings cost ten times their characters
            pieces[:] = ["".join(pieces)]

    def _lengths(self) -> tuple[int, ...]:
        if len(self.choices) < 2:
            return ()
        return tuple(sum(map(len, words.pieces)) for words in self.choices.values())

    def _text(self) -> str:
        pieces: list[str] = []
        for words in self.choices.values():
            pieces += words.pieces
        return "".join(pieces + self.tool_text)

    def _reply_chars(self) -> int | None:
        """Return the length of the shortest choice, so that one empty reply among good ones shows.

        None where there was no reply in text: an error, or bytes that nobody could read.
        """
        if self.choices:
            chars = min([words.chars for words in self.choices.values()])
            return None if self.unseen and not chars else chars
        return None if self.error or self.malformed or self.unseen else 0


def as_text(raw: Raw) -> str:
    """Return a JSON string's text, or any other value's JSON; "" for null and nothing."""
    if raw in NOTHING:
        return ""
    try:
        return _text.decode(raw)
    except CANT_READ:
        return bytes(raw).decode("utf-8", "replace")
