"""Refusals: every answer that is none has one form, and repeats no value that came in.

{"detail": {"message": "...", "problems": ["..."]}}
"""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from proxy.config.source import shown
from proxy.config.wording import SENTENCES
from proxy.errors import StoreError

SAID = {  # what Starlette and FastAPI refuse by themselves
    400: "The body can't be read; send JSON.",
    404: "There is nothing here; GET / lists what there is.",
    405: "This can't be done here; GET / lists what can.",
}
WRONG = "The request has problems."
REASONS = {  # pydantic's kind of error -> what is wrong
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "unprintable": "has a line break or control character",
    "string_type": "must be text",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
    "too_short": "is empty; say at least one",
    "finite_number": "must be a finite number",
}
MOST_PROBLEMS = 20
FAILED = "turnout failed to do this; its log says why."
UNREADABLE = "The store can't be read at present; turnout's log says why."


class Refused(HTTPException):
    """A request that is not served: `status`, a message for people, all problems."""

    def __init__(
        self, status: int, message: str, problems: Sequence[str] = (), **headers: str
    ) -> None:
        super().__init__(status, message, headers or None)
        self.message = message
        self.problems = list(problems)


def refusal(
    status: int, message: str, problems: Sequence[str] = (), **more: object
) -> JSONResponse:
    """Return the answer that refuses; `more` stands beside the message."""
    said = {"message": message, "problems": list(problems), **more}
    return JSONResponse({"detail": said}, status)


def refused(_: Request, error: Exception) -> JSONResponse:
    """Answer a Refused, or what the framework refused."""
    if not isinstance(error, HTTPException):
        raise TypeError from error
    message, problems = told(error)
    answer = refusal(error.status_code, message, problems)
    answer.headers.update(error.headers or {})
    return answer


def unfit(_: Request, error: Exception) -> JSONResponse:
    """Answer a request whose members are not what they must be."""
    if not isinstance(error, RequestValidationError):
        raise TypeError from error
    return refusal(400, WRONG, problems(error))


def unreadable(_: Request, error: Exception) -> JSONResponse:
    """Answer where the store can't be read."""
    if not isinstance(error, StoreError):
        raise TypeError from error
    structlog.get_logger().warning("store can't be read", error=str(error))
    return refusal(503, UNREADABLE)


def failed(_: Request, __: Exception) -> JSONResponse:
    """Answer where turnout itself is wrong."""
    return refusal(500, FAILED)


def told(error: HTTPException) -> tuple[str, list[str]]:
    """Return message and problems of a refusal."""
    if isinstance(error, Refused):
        return error.message, error.problems
    return SAID.get(error.status_code, "This was refused."), []


def problems(error: RequestValidationError) -> list[str]:
    """Return every problem of a request, each with its place, none with its value."""
    return [_problem(each) for each in error.errors()[:MOST_PROBLEMS]]


def _problem(each: dict[str, Any]) -> str:
    place = ".".join(shown(str(part)) for part in each["loc"] if part not in ("body", "[key]"))
    reason = _reason(each["type"], each["msg"], each.get("ctx", {}))
    return f"{place or 'the body'} {reason}"


def _reason(kind: str, message: str, context: dict[str, Any]) -> str:
    if kind in REASONS:
        return REASONS[kind]
    if kind in SENTENCES:
        reason, remedy = SENTENCES[kind]
        return f"{reason.format_map(context)}; {remedy}"
    return f"does not fit: {message[:1].lower()}{message[1:]}"
