"""The vocabulary of the channel: every message that a worker and control exchange.

    worker                               control
    Hello               ------------>
                        <------------    Publication    (now, and at every change)
    Acknowledged        ------------>
    Report              ------------>                   (one at a time)
                        <------------    Received
                        <------------    Spent          (at every change)

It knows how a message is written as bytes (`wire` says how they follow each other), and
nothing of what is done with it.
"""

import msgspec
from msgspec import Struct

from proxy.config.settings import DataPlane
from proxy.exchange import ErrorCode, Observation


class Hello(Struct, frozen=True, kw_only=True, tag=True):
    """A worker's first words on a connection.

    `fresh`: it has not served anything yet, so whatever its number left open was lost.
    """

    worker: int
    pid: int
    turnout: str  # the version of its code
    fresh: bool


class Publication(Struct, frozen=True, kw_only=True, tag=True):
    """What a worker is to put in force.

    The settings are JSON inside: their raw members are pieces of JSON, which msgpack can't hold.
    """

    serial: int  # of this life of control
    settings: bytes

    @classmethod
    def of(cls, data_plane: DataPlane, serial: int = 1) -> "Publication":
        """Return the publication of `data_plane`."""
        return cls(serial=serial, settings=msgspec.json.encode(data_plane))

    def data_plane(self) -> DataPlane:
        """Return the settings again."""
        return msgspec.json.decode(self.settings, type=DataPlane)


class Acknowledged(Struct, frozen=True, kw_only=True, tag=True):
    """The worker begins no exchange on anything older than this publication from now on."""

    serial: int
    version: int  # of its routing table


class UpstreamReport(Struct, frozen=True, kw_only=True):
    """One upstream as one worker sees it; counters since it was `made`."""

    name: str
    made: float = 0.0  # when, on the monotonic clock: settings that changed make it anew
    open: int = 0  # connections, busy and idle
    idle: int = 0
    waiting: int = 0  # exchanges that wait for a connection
    ejected: bool = False
    requests: int = 0
    retries: int = 0
    ejections: int = 0
    connect_failures: int = 0
    connect_error: ErrorCode | None = None  # of the last of these


class ShadowReport(Struct, frozen=True, kw_only=True):
    """The shadows of one route to one variant; counters since the worker's start."""

    route: str
    variant: str
    expected: float = 0.0  # by the route's percentage; `sent` and `dropped` come close to it
    sent: int = 0
    dropped: dict[str, int] = {}  # by reason


class Gauges(Struct, frozen=True, kw_only=True):
    """How a worker is doing at a moment."""

    in_flight: int = 0  # exchanges of clients
    connections: int = 0  # of clients
    shed: int = 0  # connections cut at the door, since the worker's start
    upstreams: tuple[UpstreamReport, ...] = ()
    shadows: tuple[ShadowReport, ...] = ()


class Report(Struct, frozen=True, kw_only=True, tag=True):
    """A batch of observations and how the worker is doing.

    `offset` is how many observations of this worker's life were handed over before this batch;
    a batch that is sent again has the same offset.
    """

    offset: int
    observations: tuple[Observation, ...] = ()
    gauges: Gauges = Gauges()


class Received(Struct, frozen=True, kw_only=True, tag=True):
    """Control has taken all observations up to `offset`; the worker may forget them."""

    offset: int


class Spent(Struct, frozen=True, kw_only=True, tag=True):
    """The budgets that are spent: of which routes and client keys no exchange may begin.

    Each until when, in seconds since the epoch. It replaces what was said before.
    """

    routes: dict[str, float] = {}
    keys: dict[str, float] = {}


FromWorker = Hello | Acknowledged | Report
FromControl = Publication | Received | Spent
