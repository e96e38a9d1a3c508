"""The model list: our routes, and the models of upstreams that the configuration lists too.

An upstream that does not answer in time is left out; the list is a convenience, not a probe.
"""

import asyncio

import msgspec

from proxy.config.settings import ClientKey
from proxy.dataplane.plane import Plane
from proxy.dataplane.writing.answers import model_list, model_object
from proxy.errors import UpstreamFailure
from proxy.http import Request
from proxy.upstream import Upstream

PATH = "/v1/models"
PATIENCE = 5.0  # seconds for an upstream's list
LARGEST_LIST = 4 * 1024 * 1024


class _Listing(msgspec.Struct):
    data: list[dict[str, object]] = []


def visible(plane: Plane, key: ClientKey | None) -> list[str]:
    """Return the names of the routes that `key` may use."""
    names = plane.settings.table.routes
    if key is None or key.routes is None:
        return list(names)
    return [name for name in names if name in key.routes]


def show_model(plane: Plane, key: ClientKey | None, name: str) -> bytes | None:
    """Return the body of /v1/models/NAME; None: it is no route that `key` may use."""
    if name not in visible(plane, key):
        return None
    return msgspec.json.encode(model_object(name))


async def list_models(
    plane: Plane, key: ClientKey | None, request: Request, until: float
) -> bytes:
    """Return the body of /v1/models."""
    listed = [each for each in plane.upstreams.values() if each.settings.list_models]
    if key is not None and key.routes is not None:
        listed = []
    tasks = []
    async with asyncio.TaskGroup() as group:
        for upstream in listed:
            # A body that the client sent stays here, so none is announced.
            length = 0 if request.has_body else None
            head = plane.heads[upstream.name].write(request, "models", length)
            tasks.append(group.create_task(_theirs(upstream, head, until)))
    names = visible(plane, key)
    theirs = [model for task in tasks for model in task.result() if model.get("id") not in names]
    return model_list(names, theirs)


async def _theirs(upstream: Upstream, head: bytes, until: float) -> list[dict[str, object]]:
    body = bytearray()

    def take(data: bytes) -> None:
        if len(body) <= LARGEST_LIST:
            body.extend(data)

    try:
        connection = await upstream.acquire(until)
        try:
            reply = await connection.send(head, b"", until=until)
            await connection.relay(take)
        finally:
            upstream.release(connection)
    except UpstreamFailure:
        return []
    if reply.status != 200:
        return []
    try:
        return msgspec.json.decode(body, type=_Listing).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
