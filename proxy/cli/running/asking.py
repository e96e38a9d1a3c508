"""Asking: one command's business with a running turnout: look, change, show."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from rich.console import RenderableType

from proxy.cli.drawing.changed import published
from proxy.cli.drawing.console import put, put_json
from proxy.cli.running.client import Client
from proxy.cli.running.refused import UNREACHED, Denied
from proxy.controlplane.admin import models

Model = TypeVar("Model", bound=BaseModel)


class Asking:
    """What a command does with a turnout. `why` and `base` (a version) go with its changes."""

    def __init__(
        self, client: Client, *, as_json: bool = False, why: str = "", base: int | None = None
    ) -> None:
        self._client = client
        self.as_json = as_json
        self._why = why
        self._base = base

    def look(self, *parts: str | int, **query: object) -> bytes:
        """Return what stands at a path; Denied: it can't be had."""
        return self._client.get(parts, query).body

    def order(self, *parts: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Have something done that is no change of a version; Denied: it was not done."""
        return self._client.change("POST", parts, body=body).body

    def take_out(self, *parts: str) -> bytes:
        """Have something taken out that is no part of a version; Denied: it was not done."""
        return self._client.change("DELETE", parts, query={"why": self._why}).body

    def publish(
        self,
        method: str,
        *parts: str,
        body: Mapping[str, Any] | None = None,
        **query: str,
    ) -> models.Published:
        """Make a change, print what came of it and return that; Denied: it was not made.

        It is made against the version that was given, or else the one in force now. Where there
        is no `body`, the reason goes into the query.
        """
        etag = self._client.get(("routing",)).etag if self._base is None else f'"{self._base}"'
        if body is None:
            query["why"] = self._why
        else:
            body = {**body, "why": self._why}
        answer = self._client.change(method, parts, body=body, query=query, etag=etag)
        return self.show(answer.body, models.Published, published)

    def show(
        self,
        body: bytes,
        model: type[Model],
        draw: Callable[[Model], Iterable[RenderableType]],
        *,
        folded: bool = True,
    ) -> Model:
        """Print an answer, as JSON or drawn for people, and return it."""
        answer = read(body, model)
        if self.as_json:
            put_json(body)
        else:
            put(draw(answer), folded=folded)
        return answer


def read(body: bytes, model: type[Model]) -> Model:
    """Return an answer as its model; Denied: it is none."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Denied(
            "the answer is not one that is known here; is the running turnout of another version?",
            code=UNREACHED,
        ) from error
