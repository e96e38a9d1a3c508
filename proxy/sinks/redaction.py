"""Redaction: what of the words may be written down.

Applied once, before any sink and any alert: they see what is left. The previews come longer
than what is shown, so that a secret that crosses the cut is masked whole and not half shown;
their bounded length also bounds what a slow pattern can cost.
"""

import re

from msgspec.structs import replace

from proxy.config.settings import Previews
from proxy.exchange.observation import Observation

MASK = "[redacted]"
SEEN = 400  # characters of a preview that are looked at, whatever its length


class Redactor:
    """Masks what the patterns of `previews` match, then cuts; re.error for a bad pattern."""

    def __init__(self, previews: Previews) -> None:
        self._chars = previews.chars
        self._patterns = [re.compile(pattern) for pattern in previews.redact]

    def redact(self, observation: Observation) -> Observation:
        """Return the observation as it may be written down."""
        prompt, reply = observation.prompt_preview, observation.response_preview
        shown_prompt, shown_reply = self._shown(prompt), self._shown(reply)
        if shown_prompt == prompt and shown_reply == reply:
            return observation
        return replace(observation, prompt_preview=shown_prompt, response_preview=shown_reply)

    def _shown(self, preview: str | None) -> str | None:
        if preview is None or self._chars == 0:
            return None
        text = preview[:SEEN]
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text[: self._chars]
