"""The Notice: what notifiers are handed. One telling of something that fires, or is over.

A plain value for alerts on single exchanges (`passing`: they are over by themselves) and for
those over windows, which fire until they are resolved. It knows nothing of who is told, nor how.
"""

from enum import StrEnum
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from proxy.exchange.observation import Observation

TEST = "test"  # the name of what a person sends to see whether it arrives
EXAMPLES = 5  # request ids that a notice names, at most
PAGES = "docs/runbooks"  # where runbooks stand in turnout's own repository


class State(StrEnum):
    """Whether it is so, or no longer."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Notice(Struct, frozen=True, kw_only=True):
    """`value` broke `threshold`, both in `unit`; times are seconds since the epoch.

    `id` and `runbook` are written by whoever tells it: whoever makes a notice leaves them.
    """

    key: str  # the same for all that is told of one thing: `key_of`
    id: str = ""  # of this telling: the same for each attempt at it
    name: str  # an AlertName, or TEST
    state: State
    route: str | None
    variant: str | None
    about: str | None = None
    value: float | None
    threshold: float
    unit: str
    count: int = 1  # exchanges, or requests in the window
    first_at: float  # when it began
    last_at: float  # the latest sign of it
    ends_at: float | None = None  # when it stops to matter by itself; of what is resolved: when
    sentence: str
    runbook: str = ""  # a link, or a path in turnout's repository
    request_ids: tuple[str, ...] = ()  # a few examples, the latest last
    observation: Observation | None = None  # the latest exchange, where it is about one

    @property
    def passing(self) -> bool:
        """Whether it is about single exchanges, so that nobody will say that it is over."""
        return self.state is State.FIRING and self.ends_at is not None

    def over(self, now: float) -> bool:
        """Return whether it stopped to matter by itself."""
        return self.state is State.FIRING and self.ends_at is not None and now >= self.ends_at


def key_of(name: str, route: str | None, variant: str | None, about: str | None) -> str:
    """Return what tells a notice's thing apart: names hold no spaces, and none begins with "-"."""
    return " ".join((name, route or "-", variant or "-", about or "-"))


def told_as(notice: Notice, *, times: int, runbooks: str | None) -> Notice:
    """Return `notice` as it is told for the `times`th time, with its id and its runbook's link."""
    if notice.observation is None:
        parts = [f"{crc32(notice.key.encode()):08x}", notice.state, f"{notice.first_at:.3f}"]
    else:
        parts = [notice.observation.request_id, notice.name]
        if notice.about is not None:  # one exchange may bring two budgets to a level
            parts.append(f"{crc32(notice.about.encode()):08x}")
    if times > 1:
        parts.append(str(times))
    return replace(notice, id="-".join(parts), runbook=runbook(notice.name, runbooks))


def runbook(name: str, runbooks: str | None) -> str:
    """Return where the page on `name` stands: below the link `runbooks`, or as turnout has it."""
    page = f"{(runbooks or PAGES).rstrip('/')}/{name}.md"
    return "docs/alerts.md" if name == TEST else page


def joined(older: Notice, newer: Notice) -> Notice:
    """Return two notices of one thing, of which the older was not told, as one.

    Passing ones are added up; else only the newer counts.
    """
    if not (older.passing and newer.passing):
        return newer
    return replace(
        newer,
        count=older.count + newer.count,
        first_at=min(older.first_at, newer.first_at),
        request_ids=(older.request_ids + newer.request_ids)[-EXAMPLES:],
    )
