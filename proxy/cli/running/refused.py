"""Refused: a command that could not be done, as it is said to people and to programs.

1  refused: the message and the problems say why
2  usage
3  turnout can't be reached
4  the routing changed meanwhile: who changed what since is told
5  it is not known whether the change is in force: the answer did not come, or says nothing
"""

from collections.abc import Iterator, Mapping
from typing import Any

from proxy.cli.faults import Fault

# Exit codes; 2 is click's, for usage.
REFUSED = 1
UNREACHED = 3
CHANGED = 4  # the routing changed meanwhile
UNKNOWN = 5  # whether a change is in force

MOST = 10  # versions that are listed
NOTHING: Mapping[str, Any] = {"problems": []}


class Denied(Fault):
    """A Fault with what the admin API said: problems, or the versions that came between."""

    def __init__(self, message: str, *, code: int, detail: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(message, code=code)
        self._detail = detail

    def adding(self, hint: str) -> "Denied":
        """Return the same with a hint behind its message."""
        return Denied(f"{self.message} {hint}", code=self.exit_code, detail=self._detail)

    def as_json(self) -> dict[str, Any]:
        """Return it as the admin API would say it."""
        return {"detail": {**self._detail, "message": self.message}}

    def format_message(self) -> str:
        """Return it with every problem, one a line."""
        return "\n".join([self.message, *self._lines()])

    def _lines(self) -> Iterator[str]:
        for problem in self._detail.get("problems", ()):
            if problem not in self.message:
                yield f"  {problem}"
        since = self._detail.get("since", ())
        for version in since[:MOST]:
            why = f": {version['why']}" if version["why"] else ""
            at = version["at"].replace("T", " ").partition(".")[0].removesuffix("Z")
            by = f"{version['source']} by {version['who']}"
            yield f"  version {version['number']}, {at} UTC, {by}{why}"
        if len(since) > MOST:
            yield f"  ... and {len(since) - MOST} before"
        if since:
            before, after = since[-1]["parent"], since[0]["number"]
            against = "" if since[0].get("in_force", True) else f" with --if-version {after}"
            yield f"Look at it (turnout diff {before} {after}), then ask again{against}."
