"""The two ways to meter a reply: a stream event by event, a whole body at its end.

Both hand JSON to a dialect's reader and never raise, whatever the bytes. They know `[DONE]`,
and no dialect.
"""

import re
from typing import Final, Protocol

from proxy.dialects.wire.account import CANT_READ, Account
from proxy.dialects.wire.sse import Events
from proxy.exchange.reading import Reading

MAX_BODY: Final = 16 * 1024 * 1024  # bytes kept of a whole reply; of a larger one nothing is read
DONE: Final = b"[DONE]"

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


class StreamMeter:
    """Meters a stream of server-sent events."""

    __slots__ = ("_account", "_events", "_read")

    def __init__(self, account: Account, read: Read) -> None:
        self._account = account
        self._read = read
        self._events = Events()

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; return True where they completed an event that carries output."""
        output = False
        for name, piece in self._events.feed(data):
            if self._take(name, piece):
                output = True
        return output

    def finish(self) -> Reading:
        """Return the reading; a last event without its end counts where it can be read."""
        account = self._account
        malformed = account.malformed
        for name, piece in self._events.flush():
            self._take(name, piece)
        # That event may just as well have been cut: then it is no fault that it can't be read.
        account.malformed = malformed + self._events.oversized
        return account.reading()

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


class WholeMeter:
    """Meters a reply that comes as one JSON body; it says nothing before the end."""

    __slots__ = ("_account", "_body", "_read", "_too_large")

    def __init__(self, account: Account, read: Read) -> None:
        self._account = account
        self._read = read
        self._body = bytearray()
        self._too_large = False

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; False: a whole reply has no first token."""
        if len(self._body) + len(data) > MAX_BODY:
            self._too_large = True
            self._body.clear()
        if not self._too_large:
            self._body += data
        return False

    def finish(self) -> Reading:
        """Return the reading."""
        if self._too_large:
            self._account.unseen = True
        else:
            body = bytes(self._body)
            try:
                self._read(self._account, body)
            except CANT_READ:
                mend(self._account, self._read, body)
        return self._account.reading()


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


def meter(account: Account, read: Read, *, stream: bool) -> StreamMeter | WholeMeter:
    """Return the meter of a stream or of a whole reply."""
    return StreamMeter(account, read) if stream else WholeMeter(account, read)
