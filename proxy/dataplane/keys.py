"""Client keys: who is calling, and whether they may, now.

Counts stand in the shared tally, so a limit holds over all workers. It knows digests only; the
key itself is hashed and forgotten.
"""

import hashlib
import hmac
from typing import Protocol

from proxy.config.settings import ClientKey
from proxy.errors import Refusal
from proxy.exchange import ErrorCode
from proxy.http import Request

WINDOW_SECONDS = 60.0


class Tally(Protocol):
    """Counts shared by all workers, over a sliding minute; `slot` is a key's column."""

    def add_request(self, slot: int, now: float) -> None:
        """Count one request."""
        ...

    def add_tokens(self, slot: int, count: int, now: float) -> None:
        """Count tokens, prompt and reply."""
        ...

    def requests(self, slot: int, now: float) -> float:
        """Return the requests of the last minute."""
        ...

    def tokens(self, slot: int, now: float) -> float:
        """Return the tokens of the last minute."""
        ...


class Keyring:
    """The client keys in force; without any, every caller may pass."""

    __slots__ = ("_by_digest", "_tally")

    def __init__(self, keys: tuple[ClientKey, ...], tally: Tally) -> None:
        self._by_digest = {key.sha256: key for key in keys}
        self._tally = tally

    @property
    def closed(self) -> bool:
        """Whether a key is asked for."""
        return bool(self._by_digest)

    def identify(self, request: Request) -> ClientKey | None:
        """Return the caller's key, None where none is asked for, or raise Refusal(401)."""
        if not self._by_digest:
            return None
        presented = credential(request)
        if presented is None:
            raise _unauthorized("An API key is needed: send it as 'Authorization: Bearer KEY'.")
        digest = hashlib.sha256(presented).hexdigest()
        # The lookup is by the digest of what was sent, so its timing tells nothing of a key.
        key = self._by_digest.get(digest)
        if key is None or not hmac.compare_digest(digest, key.sha256):
            raise _unauthorized("This API key is not known here.")
        return key

    def admit(self, key: ClientKey, now: float) -> None:
        """Count one request of `key`, or raise Refusal(429) where a limit is used up."""
        asked = self._tally.requests(key.slot, now)
        if key.requests_per_minute is not None and asked >= key.requests_per_minute:
            raise _limited(
                ErrorCode.POLICY_REQUEST_LIMIT,
                f"This key may make {key.requests_per_minute} requests a minute.",
                excess=asked + 1 - key.requests_per_minute,
                limit=key.requests_per_minute,
            )
        used = self._tally.tokens(key.slot, now)
        if key.tokens_per_minute is not None and used >= key.tokens_per_minute:
            raise _limited(
                ErrorCode.POLICY_TOKEN_LIMIT,
                f"This key may use {key.tokens_per_minute} tokens a minute.",
                excess=used - key.tokens_per_minute,
                limit=key.tokens_per_minute,
            )
        self._tally.add_request(key.slot, now)

    def spend(self, key: ClientKey, tokens: int, now: float) -> None:
        """Count what a reply to `key` cost."""
        if key.tokens_per_minute is not None and tokens > 0:
            self._tally.add_tokens(key.slot, tokens, now)


def credential(request: Request) -> bytes | None:
    """Return the key a client sent: as a bearer token, or as Anthropic's clients do."""
    authorization = request.header(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip()
    return request.header(b"x-api-key")


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, ErrorCode.CALLER_UNAUTHORIZED, message)


def _limited(code: ErrorCode, message: str, *, excess: float, limit: int) -> Refusal:
    # At the present pace the window gives back limit / 60 a second.
    seconds = min(WINDOW_SECONDS, max(1.0, excess * WINDOW_SECONDS / max(1, limit)))
    return Refusal(429, code, message, retry_after=seconds)
