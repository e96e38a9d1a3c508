"""Lines for people: one coloured line an event.

Control characters are shown, never sent: what a client writes can't move the terminal.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from structlog.typing import EventDict

RESET, DIM, BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
RED, GREEN, YELLOW, CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
LEVELS: Final = {"warning": YELLOW, "error": RED, "critical": RED}
WINDOWS: Final = ("alert firing", "alert resolved")
PREVIEW = 40
UNITS: Final = {"slow": "ms", "short": "characters", "budget": "USD"}  # of alerts


class Console:
    """Renders events for a terminal; `colours` only where one is there."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def lines(self, lines: Sequence[Struct]) -> list[bytes]:
        """Return the lines of exchanges and alerts."""
        return [self.event(asdict(line)) for line in lines]

    def event(self, event: EventDict) -> bytes:
        """Return an event's line."""
        if event["event"] == "exchange":
            parts = self._exchange(event)
        elif event["event"] == "alert":
            parts = self._alert(event)
        elif event["event"] in WINDOWS:
            parts = self._window(event)
        else:
            parts = self._other(event)
        clock = self._paint(DIM, event["timestamp"].astimezone().strftime("%H:%M:%S"))
        return " ".join([clock, *parts]).encode("utf-8", "backslashreplace")

    def _exchange(self, event: EventDict) -> list[str]:
        fine = event["outcome"] == "completed"
        ending = event["outcome"] if event["error_code"] is None else event["error_code"]
        parts = [
            self._paint(GREEN if fine else RED, str(event["status"] or "---")),
            self._paint(BOLD, shown(where(event))),
            shown(event["endpoint"]),
            f"{event['latency_ms']:.0f} ms",
        ]
        if event["ttft_ms"] is not None:
            parts.append(f"first token {event['ttft_ms']:.0f} ms")
        if event["prompt_tokens"] is not None or event["response_tokens"] is not None:
            parts.append(
                f"{number(event['prompt_tokens'])}>{number(event['response_tokens'])} tok"
            )
        if not fine:
            parts.append(self._paint(RED, shown(ending)))
        previews = filter(None, (event["prompt_preview"], event["response_preview"]))
        parts += [self._paint(DIM, f'"{shown(short(text))}"') for text in previews]
        parts.append(self._paint(DIM, shown(event["request_id"])))
        if event["shadow_of"] is not None:
            parts.append(self._paint(DIM, f"shadow of {shown(event['shadow_of'])}"))
        return parts

    def _alert(self, event: EventDict) -> list[str]:
        unit = UNITS[event["alert"]]
        return [
            self._paint(YELLOW, f"ALERT {event['alert']}"),
            self._paint(BOLD, shown(where(event))),
            f"{figure(event['value'])} {unit} (threshold {figure(event['threshold'])})",
            *([self._paint(DIM, "silenced")] if event["silenced"] else []),
            self._paint(DIM, shown(event["request_id"])),
        ]

    def _window(self, event: EventDict) -> list[str]:
        firing = event["event"] == "alert firing"
        return [
            self._paint(YELLOW if firing else GREEN, "ALERT" if firing else "alert"),
            shown(event["sentence"].removeprefix("turnout: ")),
            *([self._paint(DIM, "silenced")] if event["silenced"] else []),
            *(self._paint(DIM, shown(each)) for each in event["request_ids"]),
        ]

    def _other(self, event: EventDict) -> list[str]:
        level = event["level"]
        parts = [self._paint(LEVELS.get(level, CYAN), f"{level:<7}"), shown(event["event"])]
        parts += [
            f"{self._paint(DIM, name + '=')}{shown(value)}"
            for name, value in event.items()
            if name not in ("event", "level", "timestamp", "exception")
        ]
        if "exception" in event:
            parts.append("\n" + str(event["exception"]))
        return parts

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._colours else text


def shown(value: Any) -> str:
    """Return `value` as text with control characters escaped."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def where(event: EventDict) -> str:
    """Return route and variant; where another one served, both: assigned>served."""
    assigned, served = event["variant_assigned"], event["variant_served"]
    names = [assigned or served or "-"]
    if assigned and served and served != assigned:
        names.append(served)
    return f"{event['route'] or '-'}/{'>'.join(names)}"


def short(text: str) -> str:
    """Return a preview; three dots end one that is cut."""
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "\N{HORIZONTAL ELLIPSIS}"


def figure(value: float) -> str:
    """Return a number with one decimal, or none where it is whole; never an exponent."""
    return f"{value:.1f}".removesuffix(".0")


def number(value: int | None) -> str:
    """Return a count, or a question mark where it is unknown."""
    return "?" if value is None else str(value)
