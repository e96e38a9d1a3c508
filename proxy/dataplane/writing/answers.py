"""What turnout says in its own name: errors in the APIs' own shapes, probes, the model list.

It knows wording and JSON, nothing of why. The words are fixed here: no exception's text and no
upstream's detail ever reaches a client this way.
"""

from collections.abc import Iterable

import msgspec

from proxy.errors import Refusal, UpstreamFailure
from proxy.exchange import ErrorCode

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}

_FAILURES: dict[str, tuple[int, str]] = {
    ErrorCode.PROVIDER_BAD_REPLY: (502, "The model server's reply was not valid HTTP."),
    ErrorCode.PROVIDER_CONNECT_FAILED: (502, "The model server could not be reached."),
    ErrorCode.PROVIDER_CONNECT_TIMEOUT: (504, "The model server did not accept a connection."),
    ErrorCode.PROVIDER_CUT: (502, "The model server broke off its reply."),
    ErrorCode.PROVIDER_EJECTED: (503, "The model server is taken out after repeated failures."),
    ErrorCode.PROVIDER_FIRST_BYTE_TIMEOUT: (504, "The model server did not answer in time."),
    ErrorCode.PROVIDER_IDLE_TIMEOUT: (504, "The model server stopped in its reply."),
    ErrorCode.PROVIDER_NAME_UNKNOWN: (502, "The model server's name could not be resolved."),
    ErrorCode.PROVIDER_OVERLOADED: (503, "Too many requests are waiting for the model server."),
    ErrorCode.PROVIDER_TLS: (502, "No secure connection to the model server could be made."),
    ErrorCode.PROVIDER_TOTAL_TIMEOUT: (504, "The model server took too long for its reply."),
}
_UNKNOWN = (502, "The model server's reply could not be had.")

INTERNAL = Refusal(500, ErrorCode.INTERNAL_UNKNOWN, "turnout failed; the fault is ours.")


def failure_answer(failure: UpstreamFailure) -> Refusal:
    """Return what a client is told when no reply could be had from upstream."""
    status, message = _FAILURES.get(failure.code, _UNKNOWN)
    retry_after = 1.0 if status == 503 else None
    return Refusal(status, failure.code, message, retry_after=retry_after)


def error_body(refusal: Refusal, request_id: str, dialect: str = "none") -> bytes:
    """Return the error as JSON: OpenAI's shape, or Anthropic's for the messages dialect."""
    kind = _TYPES.get(refusal.status)
    if refusal.code == ErrorCode.POLICY_BUDGET_SPENT and dialect != "messages":
        kind = "insufficient_quota"  # by which OpenAI's clients tell it from a rate limit
    if kind is None:
        kind = "invalid_request_error" if refusal.status < 500 else "api_error"
    error = {
        "message": refusal.message,
        "type": kind,
        "param": refusal.param,
        "code": refusal.code,
        "request_id": request_id,
    }
    envelope = {"type": "error", "error": error} if dialect == "messages" else {"error": error}
    return msgspec.json.encode(envelope)


def error_event(refusal: Refusal, request_id: str, dialect: str) -> bytes:
    """Return the server-sent event that tells a stream's reader that the stream broke."""
    body = error_body(refusal, request_id, dialect)
    if dialect == "responses":  # its events carry the error's members at their top level
        error = msgspec.json.decode(body)["error"]
        body = msgspec.json.encode({**error, "type": "error"})
    if dialect in ("messages", "responses"):
        return b"event: error\ndata: " + body + b"\n\n"
    return b"data: " + body + b"\n\n"


def model_object(name: str) -> dict[str, object]:
    """Return a route as the model that it is to clients."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "turnout"}


def model_list(routes: Iterable[str], others: Iterable[object]) -> bytes:
    """Return the body of /v1/models: our routes first, then the upstreams' own models."""
    data = [*map(model_object, routes), *others]
    return msgspec.json.encode({"object": "list", "data": data})
