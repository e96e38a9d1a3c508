"""Remembering: which alerts fire, in a file of the data directory, for a control that starts anew.

It is for convenience alone: what can't be read or written is forgotten, and the log says so.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from proxy.alerting.windows import Standing
from proxy.config.source.files import keep_file, read_file

NAME = "alerts.json"  # in the data directory
MOST_BYTES = 16 * 1024 * 1024


class AlertFile:
    """The file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def read(self) -> list[Standing]:
        """Return what fired when it was written last; nothing where there is no such file."""
        try:
            return msgspec.json.decode(read_file(self._path, MOST_BYTES), type=list[Standing])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            self._complain("firing alerts could not be read", error)
            return []

    def write(self, firing: Sequence[Standing]) -> None:
        """Put what fires in the place of what was kept."""
        try:
            keep_file(self._path, msgspec.json.encode(firing))
        except OSError as error:
            self._complain("firing alerts could not be kept", error)

    def _complain(self, event: str, error: Exception) -> None:
        structlog.get_logger().warning(event, file=str(self._path), reason=str(error))
