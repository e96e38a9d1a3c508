"""What is asked of publishing, what it answers, and how it refuses, as plain values.

Nothing here does anything; whoever asks for a change needs no more of publishing than this.
"""

from typing import Literal

from msgspec import Struct

from proxy.errors import ChangeError
from proxy.rollout import Version
from proxy.rollout.spread import Reach

Result = Literal["published", "unchanged", "outdated", "rejected"]


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks for a change, and from where."""

    name: str  # a token's; "turnout" where nobody but the file or a signal asked
    origin: str  # an address; or "file", "signal"
    role: Literal["reader", "admin"] = "admin"


class Pushed(Struct, frozen=True, kw_only=True):
    """How far a push came: workers that acknowledged, of how many that run, and who is late."""

    workers: int
    of: int
    milliseconds: float
    late: tuple[int, ...] = ()  # their numbers; they were replaced
    reach: Reach | None = None  # on how many hosts it is; None: this one does not share its store


class Published(Pushed, frozen=True, kw_only=True):
    """A change that is in force: kept, pushed and acknowledged."""

    version: Version  # the one in force
    changed: bool  # False: its contents were in force already, so there is no new version


class Reloaded(Struct, frozen=True, kw_only=True):
    """What came of reading the configuration again.

    outdated: its `revision` is smaller than the one in force, so it was ignored.
    rejected: it has problems, so nothing of it was taken.
    """

    result: Result
    version: Version  # the one in force
    at: float  # seconds since the epoch
    problems: tuple[str, ...] = ()  # each with its place and remedy
    restart_needed: tuple[str, ...] = ()  # settings that differ from what runs: listen, ...
    pushed: Pushed | None = None  # None: there was nothing to push


class Misfit(ChangeError):
    """The routing that the change makes can't be served; `problems` lists why."""

    def __init__(self, message: str, problems: tuple[str, ...]) -> None:
        super().__init__(message)
        self.problems = problems


class Stale(ChangeError):
    """The routing changed since the version that the change was made against."""

    def __init__(self, current: Version, since: tuple[Version, ...], *, fits: bool = True) -> None:
        how = "is in force" if fits else "is in force elsewhere, and does not fit the file here"
        super().__init__(f"the routing changed meanwhile: version {current.number} {how}")
        self.current = current
        self.fits = fits
        self.since = since  # what was published after that version, newest first


class Unavailable(ChangeError):
    """No change can be made at present: it can't be kept, or another turnout takes over."""


class Unknown(Unavailable):
    """Whether the change was made can't be found out at present: the store did not answer."""
