"""One form for every line that turnout logs, its own and its libraries'.

JSON for machines or a coloured line for people, through structlog; the standard library's
loggers (uvicorn's among them) are brought into the same form. An event may carry `lines`, made
elsewhere (`exchanges`): then each of them is a line, and the event itself is none.
"""

import atexit
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from proxy.sinks.log.console import Console
from proxy.sinks.log.writer import LineWriter

LogFormat = Literal["json", "console"]
Clock = Callable[[], float]  # seconds since the epoch

# The first ones log addresses, which may hold secrets; alembic tells of steps that a start takes
# by itself; watchfiles logs each change that it sees, and so has no end where the log is a file in
# a folder that it watches.
QUIET = ("httpx2", "httpcore2", "asyncio", "alembic", "watchfiles")


class Form(Protocol):
    """How lines look."""

    def event(self, event: EventDict) -> bytes:
        """Return an event's line."""
        ...

    def lines(self, lines: Sequence[msgspec.Struct]) -> Sequence[bytes]:
        """Return the lines that were made elsewhere."""
        ...


class Lines:
    """What structlog writes to: the rendered lines of one event at a time."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def msg(self, *lines: bytes) -> None:
        """Write `lines`; every level comes here."""
        self._writer.write(*lines)

    log = debug = info = warn = warning = error = critical = fatal = exception = failure = msg


class Handler(logging.Handler):
    """Brings the standard library's records to the same writer."""

    def __init__(self, lines: Lines, processors: list[Processor], render: Processor) -> None:
        super().__init__()
        self._lines = lines
        self._processors = processors
        self._render = render

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; one that can't be put in words goes to stderr, as logging does."""
        try:
            event: Any = {"event": record.getMessage(), "logger": record.name}
        except (TypeError, ValueError):
            self.handleError(record)
            return
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for process in (*self._processors, self._render):
            event = process(self._lines, record.levelname.lower(), event)
        self._lines.msg(event)


def configure(form: LogFormat, stream: TextIO, *, clock: Clock | None = None) -> LineWriter:
    """Send all logging of this process to `stream` in `form`; return the writer to close.

    Call it once a process, before the first line. Lines are flushed at exit.
    """
    writer = LineWriter(stream)
    atexit.register(writer.close)
    lines = Lines(writer)
    render = rendering(Console(colours=stream.isatty()) if form == "console" else Json())
    processors: list[Processor] = [
        structlog.stdlib.add_log_level,
        stamp(clock),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*processors, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,  # who logs often binds once; others may be set up anew
    )
    root = logging.getLogger()
    root.handlers = [Handler(lines, processors, render)]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    return writer


def stamp(clock: Clock | None) -> Processor:
    """Return the processor that dates an event, unless the event dates itself."""

    def stamped(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if "timestamp" not in event:
            now = datetime.now(UTC) if clock is None else datetime.fromtimestamp(clock(), UTC)
            event["timestamp"] = now
        return event

    return stamped


def rendering(form: Form) -> Processor:
    """Return the last processor: it turns an event into its line or lines."""

    def rendered(_: WrappedLogger, __: str, event: EventDict) -> bytes | tuple[Any, ...]:
        lines = event.get("lines")
        return form.event(event) if lines is None else (form.lines(lines), {})

    return rendered


class Json:
    """Lines of JSON: timestamp, level and event first."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=repr)

    def event(self, event: EventDict) -> bytes:
        """Return an event's line; what JSON can't say stands as its repr."""
        encode = self._encoder.encode
        line = {name: event[name] for name in ("timestamp", "level", "event")}
        line |= event  # which keeps their place
        try:
            return encode(line)
        except UnicodeEncodeError:  # lone surrogates, from a file's name say
            return encode({k: ascii(v) for k, v in line.items()})

    def lines(self, lines: Sequence[msgspec.Struct]) -> Sequence[bytes]:
        """Return the lines that were made elsewhere."""
        return list(map(self._encoder.encode, lines))
