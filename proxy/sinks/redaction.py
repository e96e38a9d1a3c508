"""Redaction: what of the words may be written down.

Applied once, before any sink and any alert: they see what is left. Where there are patterns the
previews come longer than what is shown, so that a secret that crosses the cut is masked whole
and not half shown.
A pattern that runs away on hostile words (a client chooses the words) is stopped; the preview
is then withheld, never shown unmasked, and what such patterns may cost in all is bounded. Bodies
(`bodies`) are masked by the same means.
"""

from collections.abc import Sequence

import regex  # unlike re it can be stopped
import structlog
from msgspec.structs import replace

from proxy.config.settings import Previews
from proxy.exchange.observation import Observation

MASK = "[redacted]"
WITHHELD = "[withheld: redaction took too long]"
MARGIN = 300  # characters looked at beyond those shown: a secret may begin just before the cut
TIMEOUT = 0.05  # seconds for one pattern on one preview; ordinary ones take microseconds
ALLOWANCE = 5.0  # timeouts in a row; one grows back every thousand exchanges
GROWTH = 0.001


class Slow(Exception):
    """A pattern took longer than it may."""


class Mask:
    """Patterns, applied one after the other; regex.error for a bad one.

    What those that run away may cost in all is bounded.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [regex.compile(pattern) for pattern in patterns]
        self._allowance = ALLOWANCE

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def recover(self) -> None:
        """Let some of what was used up grow back; once an exchange."""
        self._allowance = min(ALLOWANCE, self._allowance + GROWTH)

    def charge(self) -> None:
        """Count one that ran away; where there were too many in a row, all is Slow for a while."""
        self._allowance -= 1

    def on(self, text: str, *, seconds: float = TIMEOUT, aside: bool = False) -> str:
        """Return a text masked, or raise Slow; `aside`: other threads may run meanwhile."""
        if self._allowance < 1:
            raise Slow
        for number, pattern in enumerate(self._patterns):
            try:
                text = pattern.sub(MASK, text, timeout=seconds, concurrent=aside)
            except TimeoutError:
                self.charge()
                structlog.get_logger().warning(
                    "a redaction pattern is too slow: words withheld", pattern=number + 1
                )
                raise Slow from None
        return text


class Redactor:
    """Masks what the patterns of `previews` match, then cuts; regex.error for a bad one."""

    def __init__(self, previews: Previews) -> None:
        self._chars = previews.chars
        self._mask = Mask(previews.redact)

    def redact(self, observation: Observation) -> Observation:
        """Return the observation as it may be written down."""
        prompt, reply = observation.prompt_preview, observation.response_preview
        if not self._mask and self._fits(prompt) and self._fits(reply):  # as most do
            return observation
        self._mask.recover()
        shown_prompt, shown_reply = self._shown(prompt), self._shown(reply)
        if shown_prompt == prompt and shown_reply == reply:
            return observation
        return replace(observation, prompt_preview=shown_prompt, response_preview=shown_reply)

    def _fits(self, preview: str | None) -> bool:
        return preview is None or len(preview) <= self._chars

    def _shown(self, preview: str | None) -> str | None:
        if preview is None or self._chars == 0:
            return None
        try:
            return self._mask.on(preview[: self._chars + MARGIN])[: self._chars]
        except Slow:
            return WITHHELD[: self._chars]
