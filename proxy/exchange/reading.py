"""The Reading: what was read off one reply as it passed, whatever the API.

A dialect's meter makes it, the exchange keeps it, the Observation is written from it. It knows
no bytes; its times are on the clock of whoever fed the meter.
"""

from msgspec import Struct

from proxy.exchange.observation import Usage


class Reading(Struct, frozen=True, kw_only=True):
    """What is known of a reply, at any time: complete once all of it was read."""

    usage: Usage | None = None  # None: the upstream sent none
    model: str | None = None
    text: str | None = None  # content, then tool-call names and arguments
    choices: tuple[int, ...] = ()  # characters of `text` that each has, where there are several
    reply_chars: int | None = None  # of the shortest choice; None: not a reply made of text
    preview: str = ""
    finish_reason: str | None = None
    finished: bool = False  # a stream said its end ([DONE], message_stop, ...), or may have
    refused: bool = False
    tool_calls: int = 0
    error: bool = False  # an error object in a 200 reply
    malformed_events: int = 0
    output_events: int = 0  # events that carried output
    first_output_at: float | None = None  # of a stream: when the first and the last of these came
    last_output_at: float | None = None
