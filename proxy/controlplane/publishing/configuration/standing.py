"""Standing: what readings of the configuration came to, for the log and whoever shows it.

So does what came of versions that others have published, where the configuration does not fit.

One thread writes, any may read.
"""

from collections.abc import Sequence
from typing import get_args

import structlog

from proxy.controlplane.publishing.change import Reloaded, Result
from proxy.rollout import Version


class Standing:
    """What readings of the configuration `name` came to."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.last: Reloaded | None = None  # None: none yet
        self.counts: dict[str, int] = dict.fromkeys(get_args(Result), 0)
        self._rejected: tuple[str, ...] = ()
        self.misfit: str = ""  # why it does not run the version that others run; empty: it does

    @property
    def degraded(self) -> tuple[str, ...]:
        """Why it runs on something else than its file, or the store, says."""
        return (*self._rejected, self.misfit) if self.misfit else self._rejected

    def note_misfit(self, version: Version, problems: Sequence[str]) -> None:
        """Take it that the newest `version` can't be put in force here, and log why."""
        self.misfit = (
            f"version {version.number} does not fit {self._name}, so an earlier one stays in "
            f"force here: {'; '.join(problems)}"
        )
        log = structlog.get_logger()
        log.error("version does not fit", table_version=version.number, problems=list(problems))

    def note_fit(self) -> None:
        """Take it that the newest version is in force here."""
        self.misfit = ""

    def note(self, reloaded: Reloaded) -> None:
        """Take a reading's result, and log it."""
        self.last = reloaded
        self.counts[reloaded.result] += 1
        bad = f"{self._name} has problems, so turnout runs on the last good configuration"
        self._rejected = (bad,) if reloaded.problems else ()
        if reloaded.problems:
            self._complain(reloaded)
        else:
            self._tell(reloaded)

    def _complain(self, reloaded: Reloaded) -> None:
        log = structlog.get_logger()
        log.error("configuration rejected", file=self._name, problems=len(reloaded.problems))
        for problem in reloaded.problems:
            log.error("configuration problem", problem=problem)

    def _tell(self, reloaded: Reloaded) -> None:
        log = structlog.get_logger()
        number, result = reloaded.version.number, reloaded.result
        log.info("configuration read", file=self._name, result=result, table_version=number)
        if result == "outdated":
            log.warning("outdated file ignored", file=self._name)
        if reloaded.restart_needed:
            log.warning("settings take a restart", settings=reloaded.restart_needed)
