"""The two ways to meter a reply: a stream some events at a time, a whole body at its end.

Both hand JSON to a dialect's readers and never raise, whatever the bytes. They know `[DONE]`,
and no dialect.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Protocol

from proxy.dialects.wire.account import CANT_READ, Account
from proxy.dialects.wire.sse import MAX_EVENT, Events
from proxy.exchange.reading import Reading

MAX_BODY: Final = MAX_EVENT  # bytes kept of a whole reply; of a larger one nothing is read
DONE: Final = b"[DONE]"
TOGETHER: Final = 32  # chunks of a stream that are read at one go: more would hold up others
WAITING: Final = 16 * 1024  # bytes that wait for it at most, and then one chunk
RUNS: Final = 2  # of text that are looked for among them: one, at a stream's start behind a role

# Half of a surrogate pair as an escape: some servers split a pair between two events. A pair, and
# any other escape, is matched first and stays.
HALF_PAIR: Final = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class Read(Protocol):
    """A dialect's reader: writes what one piece of JSON says on the account.

    Returns whether it carried output; raises one of CANT_READ where it can't be read.
    """

    def __call__(self, account: Account, data: bytes) -> bool:
        """Read one event's data, or a whole body."""
        ...


class ReadTexts(Protocol):
    """A dialect's reader of events, each of which carries some text and says nothing else.

    Returns how many of the first ones are such events; no other is read.
    """

    def __call__(self, account: Account, events: Sequence[bytes]) -> int:
        """Read the data of some events."""
        ...


class StreamMeter:
    """Meters a stream of server-sent events, up to `together` chunks of it at one go."""

    __slots__ = (
        "_account",
        "_ends",
        "_events",
        "_read",
        "_read_texts",
        "_times",
        "_together",
        "_waiting",
    )

    def __init__(
        self,
        account: Account,
        read: Read,
        read_texts: ReadTexts | None = None,
        together: int = TOGETHER,
    ) -> None:
        self._account = account
        self._read = read
        self._read_texts = read_texts
        self._together = together
        self._events = Events()
        # Not read yet, in one place: memory that is spread over many has left the caches by then.
        self._waiting = bytearray()
        self._ends: list[int] = []  # of its chunks, and when each of them came
        self._times: list[float] = []

    def feed(self, data: bytes, at: float) -> None:
        """Take the next bytes, and now and then read what was taken."""
        waiting = self._waiting
        waiting += data
        self._ends.append(len(waiting))
        self._times.append(at)
        if len(self._ends) >= self._together or len(waiting) > WAITING:
            self._catch_up()

    def finish(self) -> Reading:
        """Return the reading; a last event without its end counts where it can be read."""
        self._catch_up()
        account = self._account
        malformed = account.malformed
        for name, piece in self._events.flush():
            self._take(name, piece)
        # That event may just as well have been cut: then it is no fault that it can't be read.
        account.malformed = malformed + self._events.oversized
        if self._events.oversized:  # one of them may have said the end: nobody can say it did not
            account.finished = True
        return account.reading()

    def _catch_up(self) -> None:
        """Read what was taken: whole events at one go, and all else chunk by chunk."""
        data, ends, times = bytes(self._waiting), self._ends, self._times
        self._waiting, self._ends, self._times = bytearray(), [], []
        events = self._events.whole(data)
        if events:
            outputs = self._take_all(events)
            if outputs:
                first, last = (bisect_left(ends, end_of(events, outputs[at])) for at in (0, -1))
                self._came(times[first], times[last])
            return
        begin = 0
        for end, at in zip(ends, times, strict=True):
            for name, piece in self._events.feed(data[begin:end]):
                if self._take(name, piece):
                    self._came(at, at)
            begin = end

    def _take_all(self, events: list[bytes]) -> list[int]:
        """Read events without names; return the places of some with output, first and last."""
        outputs: list[int] = []
        place = runs = 0
        while place < len(events):
            texts = self._take_texts(events[place:]) if runs < RUNS else 0
            runs += 1
            if texts:
                outputs += (place, place + texts - 1)
                place += texts
            if place < len(events):  # what ended the run
                if self._take(b"", events[place]):
                    outputs.append(place)
                place += 1
        return outputs

    def _take_texts(self, events: list[bytes]) -> int:
        """Read as many events as carry text and nothing else; return how many those are."""
        account = self._account
        if self._read_texts is None or account.finished:
            return 0
        texts = self._read_texts(account, events)
        account.output_events += texts
        return texts

    def _came(self, first: float, last: float) -> None:
        """Note when output came."""
        account = self._account
        if account.first_output_at is None:
            account.first_output_at = first
        account.last_output_at = last

    def _take(self, name: bytes, data: bytes) -> bool:
        account = self._account
        if name == b"error":
            account.error = True
        if data == DONE:
            account.finished = True
            return False
        if account.finished:
            account.malformed += 1
            return False
        try:
            output = self._read(account, data)
        except CANT_READ:
            output = mend(account, self._read, data)
        if output:
            account.output_events += 1
        return output


def end_of(events: Sequence[bytes], place: int) -> int:
    """Return where, in a stream of nothing but lines of data, the event at `place` ends."""
    return sum(map(len, events[: place + 1])) + (place + 1) * len(b"data: \n\n")


class ReadText(Protocol):
    """A dialect's reader of a whole body that is one text, its usage and nothing else.

    Raises one of CANT_READ where there is more.
    """

    def __call__(self, data: bytes, keep_text: int, preview_chars: int) -> Reading:
        """Return the reading, with at most so much of the text."""
        ...


class WholeMeter:
    """Meters a reply that comes as one JSON body; it says nothing before the end."""

    __slots__ = ("_keep_text", "_pieces", "_preview_chars", "_read", "_read_text", "_size")

    def __init__(
        self, read: Read, read_text: ReadText | None, keep_text: int, preview_chars: int
    ) -> None:
        self._read = read
        self._read_text = read_text
        self._keep_text = keep_text
        self._preview_chars = preview_chars
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes, at: float) -> None:  # noqa: ARG002  # the port's form
        """Take the next bytes; when they came is nothing to a reply without a first token."""
        self._size += len(data)
        if self._size <= MAX_BODY:
            self._pieces.append(data)
        else:
            self._pieces.clear()

    def finish(self) -> Reading:
        """Return the reading."""
        body = b"".join(self._pieces)
        if self._read_text is not None:
            try:
                return self._read_text(body, self._keep_text, self._preview_chars)
            except CANT_READ:
                pass
        account = Account(keep_text=self._keep_text, preview_chars=self._preview_chars)
        if self._size > MAX_BODY:
            account.unseen = True
        else:
            try:
                self._read(account, body)
            except CANT_READ:
                mend(account, self._read, body)
        return account.reading()


def mend(account: Account, read: Read, data: bytes) -> bool:
    """Return whether `data`, which can't be read, carries output once mended, or count it."""
    mended = HALF_PAIR.sub(lambda found: found[1] or rb"\ufffd", data)
    if mended != data:
        try:
            return read(account, mended)
        except CANT_READ:
            pass
    account.malformed += 1
    return False
