"""Redaction: what of the words may be written down.

Applied once, before any sink and any alert: they see what is left. Where there are patterns the
previews come longer than what is shown, so that a secret that crosses the cut is masked whole
and not half shown.
A pattern that runs away on hostile words (a client chooses the words) is stopped; the preview
is then withheld, never shown unmasked, and what such patterns may cost in all is bounded.
"""

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


class Redactor:
    """Masks what the patterns of `previews` match, then cuts; regex.error for a bad one."""

    def __init__(self, previews: Previews) -> None:
        self._chars = previews.chars
        self._patterns = [regex.compile(pattern) for pattern in previews.redact]
        self._allowance = ALLOWANCE

    def redact(self, observation: Observation) -> Observation:
        """Return the observation as it may be written down."""
        prompt, reply = observation.prompt_preview, observation.response_preview
        if not self._patterns and self._fits(prompt) and self._fits(reply):  # as most do
            return observation
        self._allowance = min(ALLOWANCE, self._allowance + GROWTH)
        shown_prompt, shown_reply = self._shown(prompt), self._shown(reply)
        if shown_prompt == prompt and shown_reply == reply:
            return observation
        return replace(observation, prompt_preview=shown_prompt, response_preview=shown_reply)

    def _fits(self, preview: str | None) -> bool:
        return preview is None or len(preview) <= self._chars

    def _shown(self, preview: str | None) -> str | None:
        if preview is None or self._chars == 0:
            return None
        text = preview[: self._chars + MARGIN]
        return self._masked(text)[: self._chars]

    def _masked(self, text: str) -> str:
        if self._allowance < 1:
            return WITHHELD
        for number, pattern in enumerate(self._patterns):
            try:
                text = pattern.sub(MASK, text, timeout=TIMEOUT)
            except TimeoutError:
                self._allowance -= 1
                structlog.get_logger().warning(
                    "a redaction pattern is too slow: preview withheld", pattern=number + 1
                )
                return WITHHELD
        return text
