"""Signals: what a finished reply shows of the model that gave it, each by a name.

Pure: an Observation, the words of its reply where they are at hand, and a threshold in; names
out. It measures nothing itself, keeps nothing, and knows no alert: who is told what is
`alerting`'s. Each signal is about the model: where the client left, or the caller asked for what
can't be had, there is none.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.quality.refusal import refuses
from proxy.quality.repetition import loops

WITHOUT_TEXT = frozenset({"embeddings", "none"})  # dialects whose replies are not words
CUT = frozenset({Outcome.UPSTREAM_CUT, Outcome.UPSTREAM_TIMEOUT})
TOLD_OF = CUT | {Outcome.COMPLETED, Outcome.UPSTREAM_ERROR}  # other endings are not the model's
AT_THE_LIMIT = frozenset(  # what the APIs call the end of a reply that met its limit of tokens
    {"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded"}
)
LABEL_TOKENS: Final = 16  # who allows no more wants a label or a score, and no sentence
REFUSAL_CHARS: Final = 2000  # a longer reply did answer, whatever it begins with


class Check(StrEnum):
    """What came of looking whether a reply has the form that was asked for."""

    KEPT = "kept"
    BROKEN = "broken"
    UNCHECKED = "unchecked"  # too long, too costly, or nobody had the time


class Signal(StrEnum):
    """What may be wrong with a reply."""

    SHORT = "short"  # has fewer characters than the threshold
    EMPTY = "empty"  # says nothing at all
    TRUNCATED = "truncated"  # breaks off: it came to no end of its own
    LENGTH = "length"  # was cut by the limit of tokens
    REFUSAL = "refusal"  # declines, in the protocol or in words
    REPETITION = "repetition"  # says the same again and again
    ERROR = "error"  # is an error inside a reply of status 200
    FORMAT = "format"  # has not the form that was asked for


ALL: Final = tuple(Signal)


def read(
    seen: Observation,
    replies: Collection[str] = (),
    *,
    short_chars: int,
    wanted: Sequence[Signal] = ALL,
) -> tuple[Signal, ...]:
    """Return the signals among `wanted` that a reply gives, in that order.

    `replies` are the words of each choice, as far as they are at hand; without them nothing is
    said of wording and repetition.
    """
    if not replied(seen):
        return ()
    return tuple([each for each in wanted if GIVES[each](seen, replies, short_chars)])


def replied(seen: Observation) -> bool:
    """Return whether a model replied in words, however that ended: signals are read off those."""
    told_of = seen.outcome in TOLD_OF and succeeded(seen.status)
    return told_of and seen.dialect not in WITHOUT_TEXT


def short(observation: Observation, threshold: int) -> bool:
    """Return whether a reply that may be judged has fewer than `threshold` characters.

    With several choices the shortest counts, as `reply_chars` does.
    """
    chars = observation.reply_chars
    return chars is not None and chars < threshold and judgeable(observation)


def judgeable(observation: Observation) -> bool:
    """Return whether an exchange ended in a whole reply in words that can be held to a length.

    It is not where the reply was cut (by client or upstream), was an error, in or out of band, was
    no text, called a tool, or was declined by policy: each is short for a reason of its own.
    """
    return (
        observation.outcome is Outcome.COMPLETED
        and succeeded(observation.status)
        and observation.dialect not in WITHOUT_TEXT
        and observation.reply_chars is not None
        and not observation.in_band_error
        and not observation.refused
        and observation.tool_calls == 0
    )


def succeeded(status: int | None) -> bool:
    """Return whether a status is one of success (2xx)."""
    return status is not None and 200 <= status < 300


def by_design(seen: Observation) -> bool:
    """Return whether little was asked for, so that little is no fault: a label, or a set form."""
    return allows_a_label(seen) or seen.format_check not in (None, Check.BROKEN)


def allows_a_label(seen: Observation) -> bool:
    """Return whether the request allowed tokens for a label only."""
    return seen.max_tokens is not None and seen.max_tokens <= LABEL_TOKENS


def empty(seen: Observation) -> bool:
    """Return whether a reply that may be judged has no words, and was to have some."""
    return short(seen, 1) and not by_design(seen)


def cut_by_limit(seen: Observation) -> bool:
    """Return whether the limit of tokens cut a reply that was to be more than a label."""
    return seen.finish_reason in AT_THE_LIMIT and not allows_a_label(seen)


def declined(seen: Observation, replies: Collection[str]) -> bool:
    """Return whether one of the choices declines, in the protocol or by its wording."""
    if seen.refused:
        return True
    return judgeable(seen) and any(
        len(text) <= REFUSAL_CHARS and refuses(text) for text in replies
    )


Gives = Callable[[Observation, Collection[str], int], bool]

GIVES: Final[Mapping[Signal, Gives]] = {
    Signal.SHORT: lambda seen, _, least: short(seen, least) and not by_design(seen),
    Signal.EMPTY: lambda seen, _, __: empty(seen),
    Signal.TRUNCATED: lambda seen, _, __: seen.outcome in CUT,
    Signal.LENGTH: lambda seen, _, __: cut_by_limit(seen),
    Signal.REFUSAL: lambda seen, replies, _: declined(seen, replies),
    Signal.REPETITION: lambda _, replies, __: any(map(loops, replies)),
    Signal.ERROR: lambda seen, _, __: seen.in_band_error,
    Signal.FORMAT: lambda seen, _, __: seen.format_check == Check.BROKEN,
}
