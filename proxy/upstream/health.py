"""Whether an upstream is worth a try: passive health, by what happened to its requests.

Pure: the caller says what time it is, in seconds on a monotonic clock. It knows nothing of
connections. Consecutive failures eject the upstream for a time; then one trial is let through
(half-open): its success ends the ejection, its failure doubles the time, up to a cap.
"""

TRIAL_SECONDS = 60.0  # a trial that was never judged no longer keeps others away


class Health:
    """The state of one upstream, as one worker sees it."""

    __slots__ = (
        "_after",
        "_failures",
        "_last_seconds",
        "_max_seconds",
        "_readmitted_at",
        "_seconds",
        "_trial_at",
        "_until",
        "ejections",
    )

    def __init__(self, *, after: int, seconds: float, max_seconds: float) -> None:
        """Eject `after` this many consecutive failures (0: never), for `seconds` at first."""
        self._after = after
        self._seconds = seconds
        self._max_seconds = max_seconds
        self._failures = 0
        self._until: float | None = None  # None: not ejected
        self._trial_at: float | None = None
        self._last_seconds = 0.0
        self._readmitted_at = float("-inf")
        self.ejections = 0

    @property
    def ejected(self) -> bool:
        """Return whether it is ejected, the half-open time included."""
        return self._until is not None

    def available(self, now: float) -> bool:
        """Return whether `claim` would let a request through."""
        if self._until is None:
            return True
        return now >= self._until and not self._on_trial(now)

    def claim(self, now: float) -> bool:
        """Let one request through, or not; while half-open the one let through is the trial."""
        if self._until is None:
            return True
        if not self.available(now):
            return False
        self._trial_at = now
        return True

    def abandon(self) -> None:
        """Take back the trial: its request ended without showing anything."""
        self._trial_at = None

    def succeeded(self, now: float) -> None:
        """Note a request that went well; what began before the ejection does not end it."""
        self._failures = 0
        if self._until is not None and now >= self._until:
            self._until = None
            self._trial_at = None
            self._readmitted_at = now

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """Note a request that went wrong; `retry_after` lengthens an ejection that it causes."""
        self._failures += 1
        if self._until is None:
            if self._after > 0 and self._failures >= self._after:
                self._eject(now, retry_after)
        elif now >= self._until:  # half-open
            self._eject(now, retry_after)

    def _on_trial(self, now: float) -> bool:
        return self._trial_at is not None and now < self._trial_at + TRIAL_SECONDS

    def _eject(self, now: float, retry_after: float | None) -> None:
        # It was well for as long as it had been out: what was before no longer counts.
        healed = self._until is None and now - self._readmitted_at >= self._last_seconds
        self._last_seconds = self._seconds if healed else self._last_seconds * 2
        self._last_seconds = min(self._last_seconds, self._max_seconds)
        wanted = max(self._last_seconds, retry_after or 0.0)
        self._until = now + min(wanted, self._max_seconds)
        self._trial_at = None
        self._failures = 0
        self.ejections += 1
