"""The tally: what is counted in memory that outlives its process.

The supervisor makes one piece of memory (`create_memory`), and every process maps it. Each
word has one writer, and is written whole, so there are no locks and no torn reads:

    a worker    begun, dropped, and its keys' windows
    control     taken, taken_before, lost, and whose each column is

so that for each worker, whoever was killed when,

    begun = taken + dropped + lost + what is still under way

Layout, in words of 64 bits: a header of 8 (workers, slots), a word for each slot that says whose
it is, then a row for each worker: 8 for the account, then for each slot, a client key's, two
windows of requests and two of tokens. A window's word is its number (minutes on the clock) above
40 bits of count.
"""

import mmap
import os
import tempfile
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

WINDOW_SECONDS = 60
SLOTS = 1024  # client keys; a page or eight a worker, and untouched pages cost nothing

_WORD = 8
_HEADER = 8
_ACCOUNT = 8
_PER_SLOT = 4
_REQUESTS, _TOKENS = 0, 2
_BEGUN, _DROPPED, _TAKEN, _TAKEN_BEFORE, _LOST = range(5)
_COUNT_BITS = 40
_COUNT = (1 << _COUNT_BITS) - 1


def create_memory(workers: int, slots: int = SLOTS) -> int:
    """Return the file descriptor of memory for `workers` and `slots` client keys, all zero."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("turnout-tally")
    else:  # macOS
        descriptor, path = tempfile.mkstemp(prefix="turnout-tally-")
        os.unlink(path)  # noqa: PTH108  # it lives on as long as somebody holds it
    row = _ACCOUNT + slots * _PER_SLOT
    os.ftruncate(descriptor, (_HEADER + slots + workers * row) * _WORD)
    words = _map(descriptor)
    words[0], words[1] = workers, slots
    return descriptor


def _map(descriptor: int) -> memoryview:
    return memoryview(mmap.mmap(descriptor, 0)).cast("Q")


def _rows(words: memoryview) -> range:
    """Return where each worker's row begins."""
    workers, slots = words[0], words[1]
    first, row = _HEADER + slots, _ACCOUNT + slots * _PER_SLOT
    return range(first, first + workers * row, row)


class Tally:
    """A worker's end: it writes its own row, and reads everybody's windows.

    `now` is seconds on the monotonic clock, which all processes of a host share. Rates are
    those of a sliding window counter: what the running minute holds, plus the last minute's
    count weighted by how much of it the window still covers.
    """

    __slots__ = ("_keys", "_own", "_slots", "_words")

    def __init__(self, descriptor: int, worker: int) -> None:
        self._words = _map(descriptor)
        rows = _rows(self._words)
        self._own = rows[worker]
        self._keys = tuple(row + _ACCOUNT for row in rows)
        self._slots = self._words[1]

    def started(self) -> None:
        """Count an exchange that began and will end in an observation."""
        self._words[self._own + _BEGUN] += 1

    def dropped(self) -> None:
        """Count an observation that was thrown away."""
        self._words[self._own + _DROPPED] += 1

    def add_request(self, slot: int, now: float) -> None:
        """Count one request of the client key in column `slot`."""
        self._add(slot * _PER_SLOT + _REQUESTS, 1, now)

    def add_tokens(self, slot: int, count: int, now: float) -> None:
        """Count tokens of the client key in column `slot`."""
        self._add(slot * _PER_SLOT + _TOKENS, count, now)

    def requests(self, slot: int, now: float) -> float:
        """Return the requests of the last 60 s, over all workers."""
        return self._rate(slot * _PER_SLOT + _REQUESTS, now)

    def tokens(self, slot: int, now: float) -> float:
        """Return the tokens of the last 60 s, over all workers."""
        return self._rate(slot * _PER_SLOT + _TOKENS, now)

    def _add(self, column: int, count: int, now: float) -> None:
        self._check(column)
        window = int(now) // WINDOW_SECONDS
        at = self._own + _ACCOUNT + column + (window & 1)
        word = self._words[at]
        before = word & _COUNT if word >> _COUNT_BITS == window else 0
        self._words[at] = window << _COUNT_BITS | min(before + count, _COUNT)

    def _rate(self, column: int, now: float) -> float:
        self._check(column)
        words = self._words
        window = int(now) // WINDOW_SECONDS
        this, last = column + (window & 1), column + (~window & 1)
        current = previous = 0
        for keys in self._keys:
            word = words[keys + this]
            if word >> _COUNT_BITS == window:
                current += word & _COUNT
            word = words[keys + last]
            if word >> _COUNT_BITS == window - 1:
                previous += word & _COUNT
        return current + previous * (1 - now % WINDOW_SECONDS / WINDOW_SECONDS)

    def _check(self, column: int) -> None:
        if not 0 <= column < self._slots * _PER_SLOT:
            raise IndexError("the tally has no such column")


def _owner(name: str) -> int:
    """Return the word that says whose a column is; never 0, which says nobody's."""
    return int.from_bytes(sha256(name.encode()).digest()[:8]) | 1


class Account(Struct, frozen=True, kw_only=True):
    """What became of a worker's exchanges, over all the processes that bore its number."""

    begun: int
    taken: int
    dropped: int
    lost: int

    @property
    def open(self) -> int:
        """Exchanges under way, and observations that wait in the worker."""
        return self.begun - self.taken - self.dropped - self.lost


class Ledger:
    """Control's end: it notes what it took of each worker, and works out what was lost."""

    def __init__(self, descriptor: int) -> None:
        self._words = _map(descriptor)
        self._rows = _rows(self._words)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def room(self) -> int:
        """How many client keys can be counted."""
        return self._words[1]

    def slots(self, names: Iterable[str]) -> dict[str, int]:
        """Return the column of each client key; a name keeps its own for as long as it is named.

        So limits hold on over a change of the keys, and over a restart of control. A column that
        was another's is given away last: what was counted in it counts for up to two minutes.
        IndexError: there are more names than columns.
        """
        owners = self._words[_HEADER : _HEADER + self.room]
        wanted = {_owner(name): name for name in names}
        kept = {wanted[owner]: slot for slot, owner in enumerate(owners) if owner in wanted}
        taken = set(kept.values())
        free = sorted((owner > 0, slot) for slot, owner in enumerate(owners) if slot not in taken)
        for owner, name in wanted.items():
            if name not in kept:
                _, slot = free.pop(0)
                owners[slot] = owner
                kept[name] = slot
        return kept

    def account(self, worker: int) -> Account:
        """Return the account of `worker`."""
        row = self._rows[worker]
        words = self._words
        return Account(
            begun=words[row + _BEGUN],
            taken=words[row + _TAKEN],
            dropped=words[row + _DROPPED],
            lost=words[row + _LOST],
        )

    def total(self) -> Account:
        """Return all workers' accounts as one."""
        accounts = [self.account(worker) for worker in range(len(self))]
        return Account(
            begun=sum(each.begun for each in accounts),
            taken=sum(each.taken for each in accounts),
            dropped=sum(each.dropped for each in accounts),
            lost=sum(each.lost for each in accounts),
        )

    def settle(self, worker: int) -> int:
        """Count as lost, and return, what a worker that is dead left open."""
        row = self._rows[worker]
        lost = max(0, self.account(worker).open)
        self._words[row + _LOST] += lost
        return lost

    def begin(self, worker: int) -> None:
        """Let a new process take over a settled number: its observations count from 0."""
        row = self._rows[worker]
        self._words[row + _TAKEN_BEFORE] = self._words[row + _TAKEN]

    def take(self, worker: int, offset: int) -> None:
        """Note that all observations of the present process up to `offset` were taken.

        Saying it twice changes nothing: a batch that is sent again is counted once.
        """
        row = self._rows[worker]
        taken = self._words[row + _TAKEN_BEFORE] + offset
        self._words[row + _TAKEN] = max(self._words[row + _TAKEN], taken)
