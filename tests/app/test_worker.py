"""A worker's service, put together: its exchanges can be told apart, in order of time."""

from proxy.app.worker import compose_worker
from proxy.channel import Tally, create_memory
from proxy.channel.lifeline import WorkerLaunch
from proxy.errors import Refusal
from proxy.exchange import Observation
from proxy.http import Reply
from proxy.http.head import Head
from tests.support.data_plane import settings_of, upstream


class Wire:
    """A client that reads nothing."""

    write_paused = False

    def may_keep(self) -> bool:
        return False

    def date(self) -> bytes:
        return b"Thu, 01 Jan 1970 00:00:00 GMT"

    def write(self, data: bytes) -> None: ...

    def cut(self, *, reset: bool) -> None: ...


async def test_exchanges_have_ids_of_their_own_that_go_by_time() -> None:
    memory = create_memory(1, 1)
    launch = WorkerLaunch(
        worker=0,
        workers=1,
        listeners=(),
        accept=(),
        tally=memory,
        channel="",
        tls=None,
        drain_grace_seconds=0.0,
        drain_seconds=0.0,
    )
    ids, times = [], []

    def offer(seen: Observation) -> None:
        ids.append(seen.request_id)
        times.append(seen.started_at)

    service = compose_worker(launch, offer, Tally(memory, 0))
    service.adopt(settings_of(upstreams=[upstream("one", 9)]))
    for _ in range(200):
        refusal = Refusal(400, "caller_bad_request", "no")
        service.refuse(refusal, Reply(Wire(), Head()), "GET", b"/")
    await service.close()
    assert len(set(ids)) == 200
    assert [each[:16] for each in ids] == sorted(each[:16] for each in ids)
    began = int(ids[0].removeprefix("req_")[:12], 16) / 1000
    assert abs(began - times[0]) <= 0.001
