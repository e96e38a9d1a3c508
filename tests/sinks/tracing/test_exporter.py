"""The exporter, at a time of the test's, with a receiver that answers as it is told."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from proxy.exchange import Bodies, Observation, Trace
from proxy.sinks.tracing import Exporter, exporter
from tests.support.patience import eventually
from tests.support.programs import free_port
from tests.support.receiver import receiver
from tests.support.spans import SPAN, TRACE, traced


class Requests:
    """Request ids, a line each; an answer's body is how many were rejected."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: Mapping[str, str] = {"x-key": "hush"}
        self.seen: list[Observation] = []

    def write(self, observations: Sequence[Observation]) -> bytes:
        self.seen += observations
        return "\n".join(seen.request_id for seen in observations).encode()

    def rejected(self, answer: bytes) -> int:
        return int(answer or b"0")


class Time:
    """A clock that moves by pauses, which take no time, or all of it."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.pauses: list[float] = []
        self.stands = False
        self.paused = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.paused.set()
        if self.stands:
            await asyncio.Event().wait()
        self.passed += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def exporting(
    url: str | None, time: Time, *, close: float = 10.0, waiting: int = 1000
) -> AsyncIterator[Exporter]:
    found = Exporter(
        "turnout/test",
        clock=lambda: time.passed,
        wall=lambda: 784_887_151.0,  # Tue, 15 Nov 1994 08:12:31 GMT
        dice=lambda: 0.0,
        sleep=time.sleep,
        waiting=waiting,
    )
    found.adopt(None if url is None else Requests(url))
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(found.run())
        yield found
        await found.close(close)


def many(count: int) -> list[Observation]:
    return [traced(request_id=f"req-{number}") for number in range(count)]


async def settled(found: Exporter, count: int) -> None:
    """Wait until so many spans have a result."""

    async def results() -> int:
        return sum(found.results().values())

    await eventually(results, lambda total: total >= count)


async def test_spans_wait_for_others_for_a_while_and_leave_as_one_request() -> None:
    time = Time()
    async with receiver() as there, exporting(there.url, time) as found:
        found.take(many(3))
        await there.next()
        assert time.pauses == [exporter.LINGER]
        assert gzip.decompress(there.bodies[0]) == b"req-0\nreq-1\nreq-2"
        head = there.heads[0]
        assert head["content-type"] == "application/x-protobuf"
        assert (head["content-encoding"], head["x-key"]) == ("gzip", "hush")
        assert head["user-agent"] == "turnout/test"
    assert found.results() == {"exported": 3, "dropped": 0, "failed": 0}


async def test_a_full_batch_does_not_wait_and_takes_no_more_than_fits() -> None:
    time = Time()
    time.stands = True
    async with receiver() as there, exporting(there.url, time) as found:
        found.take(many(exporter.BATCH + 1))
        await there.next()
        assert gzip.decompress(there.bodies[0]).count(b"\n") == exporter.BATCH - 1
    assert len(there.bodies) == 2  # the last one at the end, at once
    assert found.results()["exported"] == exporter.BATCH + 1


async def test_only_sampled_exchanges_are_sent_and_no_words_are_held() -> None:
    async with receiver() as there, exporting(None, Time()) as found:
        asked = Requests(there.url)
        found.take(many(1))  # nobody is there to send it to
        found.adopt(asked)
        unsampled = Trace(TRACE, SPAN, sampled=False)
        found.take([traced(trace=None), traced(trace=unsampled), traced(bodies=Bodies(b"words"))])
    (sent,) = asked.seen
    assert (sent.bodies, sent.prompt_preview, sent.response_preview) == (None, None, None)
    assert found.results() == {"exported": 1, "dropped": 0, "failed": 0}


async def test_what_was_not_taken_is_tried_again_with_growing_pauses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    time = Time()
    answers = (503, None, 429, 502, 504)
    async with receiver(*answers) as there, exporting(there.url, time) as found:
        found.take(many(2))
        await settled(found, 2)
    assert time.pauses == [exporter.LINGER, 0.5, 1.0, 2.0, 4.0, 8.0]  # half: dice say 0
    assert len(set(there.bodies)) == 1
    assert found.results() == {"exported": 2, "dropped": 0, "failed": 0}
    said = capsys.readouterr().out
    assert said.count("span export fails") == said.count("span export works again") == 1
    assert "hush" not in said
    assert "secret-token" not in said


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("7", 7.0),
        ("Tue, 15 Nov 1994 08:12:51 GMT", 20.0),
        ("Tue, 15 Nov 1994 08:12:11 -0000", 0.0),
        ("soon", 0.5),
    ],
)
async def test_a_collector_that_asks_for_a_pause_gets_it(said: str, pause: float) -> None:
    time, busy = Time(), (429, f"retry-after: {said}\r\n", b"")
    async with receiver(busy) as there, exporting(there.url, time) as found:
        found.take(many(1))
        await settled(found, 1)
    assert time.pauses == [exporter.LINGER, pause]
    assert found.results()["exported"] == 1


async def test_a_long_pause_outlives_the_batch_and_is_kept_within_reason() -> None:
    time, busy = Time(), (503, "retry-after: 86400\r\n", b"")
    async with receiver(busy) as there, exporting(there.url, time) as found:
        found.take(many(1))
        await settled(found, 1)
        found.take(many(2))
        await settled(found, 3)
    assert time.pauses == [exporter.LINGER, exporter.LONGEST_AFTER, exporter.LINGER]
    assert found.results() == {"exported": 2, "dropped": 0, "failed": 1}


async def test_what_trying_again_cannot_mend_is_given_up_at_once() -> None:
    time = Time()
    async with receiver(400, 500, 301) as there, exporting(there.url, time) as found:
        for number in range(1, 5):
            found.take(many(1))
            await settled(found, number)
    assert time.pauses == [exporter.LINGER] * 4
    assert found.results() == {"exported": 1, "dropped": 0, "failed": 3}


async def test_spans_that_a_collector_rejects_are_counted() -> None:
    async with receiver((200, "", b"2")) as there, exporting(there.url, Time()) as found:
        found.take(many(5))
    assert found.results() == {"exported": 3, "dropped": 0, "failed": 2}


async def test_where_nobody_is_there_a_batch_is_given_up_after_a_minute() -> None:
    time = Time()
    async with exporting(f"http://127.0.0.1:{free_port()}/", time) as found:
        found.take(many(2))
        await settled(found, 2)
    assert time.pauses[1:8] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert found.results() == {"exported": 0, "dropped": 0, "failed": 2}


async def test_what_does_not_fit_while_a_collector_is_down_is_dropped_and_counted() -> None:
    time = Time()
    time.stands = True
    url = f"http://127.0.0.1:{free_port()}/"
    async with exporting(url, time, waiting=3) as found:
        found.take(many(5))
        assert found.results()["dropped"] == 2
    assert found.results() == {"exported": 0, "dropped": 2, "failed": 3}  # one try at the end


async def test_a_collector_that_hangs_holds_up_the_end_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with exporting(url, Time(), close=0.05) as found:
            found.take(many(2))
            await connected.wait()
            found.take(many(1))
        assert found.results() == {"exported": 0, "dropped": 3, "failed": 0}

        monkeypatch.setattr(exporter, "ATTEMPT_SECONDS", 0.05)
        async with exporting(url, Time()) as found:
            found.take(many(1))
            await settled(found, 1)
        assert found.results()["failed"] == 1


async def test_another_collector_gets_what_waits_and_none_gets_nothing() -> None:
    time = Time()
    async with receiver() as there, exporting("http://127.0.0.1:1/", time) as found:
        time.stands = True
        found.take(many(1))
        await asyncio.wait_for(time.paused.wait(), 10)
        found.adopt(Requests(there.url))
        found.take(many(exporter.BATCH))
        await settled(found, exporter.BATCH)
        found.take(many(1))
        found.adopt(None)
        assert found.results() == {"exported": exporter.BATCH, "dropped": 2, "failed": 0}


async def test_an_address_that_is_none_is_given_up() -> None:
    async with exporting("http://[::1/", Time()) as found:
        assert found.results() == {"exported": 0, "dropped": 0, "failed": 0}
        found.take(many(1))
        await settled(found, 1)
    assert found.results()["failed"] == 1
