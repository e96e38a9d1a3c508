"""Signals read off a finished reply: whether it may be judged, and whether it is short.

Pure: an Observation's facts and a threshold in, a truth out. It measures nothing itself, keeps
nothing, and knows no alert: who is told what is `alerting`'s. Later signals stand here too, each
a function of the same kind: empty, cut at its length, refused, repetitive, broken format.
"""

from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome

WITHOUT_TEXT = frozenset({"embeddings", "none"})  # dialects whose replies are not words


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
