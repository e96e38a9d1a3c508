"""A stream is asked for its usage behind the client's back, and the client never sees it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects import DIALECTS, by_path, encode, parse
from tests.dialects.chunks import cut, in_pieces, in_two
from tests.dialects.recorded import RECORDED
from tests.dialects.recorded.forms import CHAT, COMPLETIONS, DONE, delta, openai, stream_of

CHOICES = [CHAT, COMPLETIONS]
ASKED = RECORDED["OpenAI: a stream with usage"].body
SEEN = [
    openai(choices=[delta(role="assistant", content="")], usage=None),
    openai(choices=[delta(content="Hello")], usage=None),
    openai(choices=[delta(finish="stop")], usage=None),
]
COUNTED = openai(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 2})


def asking(path: str, body: bytes) -> bytes | None:
    dialect = by_path(path)
    assert dialect is not None
    members = dialect.ask_usage(parse(body))
    return None if members is None else encode(members)


def stripped(chunks: list[bytes], path: str = CHAT) -> bytes:
    dialect = by_path(path)
    assert dialect is not None
    stripper = dialect.stripper()
    return b"".join(map(stripper.feed, chunks)) + stripper.flush()


@pytest.mark.parametrize("path", CHOICES)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b'{"model":"m","x":{"a" : 1e0}}',
            b'{"model":"m","x":{"a" : 1e0},"stream_options":{"include_usage":true}}',
        ),
        (
            b'{"stream_options":{"chunk_size": 1.0 , "include_usage":false},"model":"m"}',
            b'{"stream_options":{"chunk_size":1.0,"include_usage":true},"model":"m"}',
        ),
        (
            b'{"stream_options":null,"stream":true}',
            b'{"stream_options":{"include_usage":true},"stream":true}',
        ),
    ],
)
def test_asking_changes_nothing_else(path: str, before: bytes, after: bytes) -> None:
    assert asking(path, before) == after


@pytest.mark.parametrize("path", CHOICES)
def test_nobody_asks_twice(path: str) -> None:
    assert asking(path, b'{"stream_options":{"include_usage": true}}') is None


def test_other_dialects_need_not_be_asked() -> None:
    stream = ASKED + b"data: cut"
    for dialect in DIALECTS:
        if dialect.path not in CHOICES:
            assert dialect.ask_usage(parse(b'{"stream":true}')) is None
            assert stripped([stream], dialect.path) == stream


@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_one_chunk_that_asking_added_is_taken_out_at_every_cut(
    spaced: bool,  # noqa: FBT001  # a column
    end: bytes,
) -> None:
    def ended(stream: bytes) -> bytes:
        return stream.replace(b"\n", end)

    came = ended(stream_of(*SEEN, COUNTED, spaced=spaced))
    assert stripped([came], COMPLETIONS) == stripped([came], CHAT)
    passed = ended(stream_of(*SEEN, spaced=spaced))
    assert stripped([came]) == passed
    assert stripped(in_pieces(came, 1)) == passed
    for chunks in in_two(came):
        assert stripped(chunks) == passed


@pytest.mark.parametrize(
    "event",
    [
        openai(choices=[delta(content="a")], usage={"prompt_tokens": 1}),
        openai(choices=[delta(content="a")], usage=None),
        openai(choices=[delta(content='"choices":[] "usage":{}')]),
        openai(choices=[], usage=None),
        openai(choices=[], prompt_filter_results=[]),
        {"choices": [{"x": {"choices": []}}], "usage": {}},
        {"x": {"choices": [], "usage": {}}},
        {"usage": {"prompt_tokens": 1}},
        {"choices": [], "usage": 5},
        {"error": {"message": "x"}},
    ],
    ids=lambda event: json.dumps(event)[-60:],
)
def test_any_other_event_stays(event: dict[str, object]) -> None:
    stream = stream_of(*SEEN, event)
    for chunks in in_two(stream):
        assert stripped(chunks) == stream


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"choices":[],"usage":{}\n\n',
        b'data: {"choices":[],"usage":{"\xff":1}}\n\n',
        b'data: {"choices":[],"usage":{},"x":' + b"[" * 9999 + b"]" * 9999 + b"}\n\n",
        b': {"choices":[],"usage":{}}\n\n',
        b'event: x\ndata\n"choices":[]\n\n',
    ],
)
def test_what_can_not_be_read_stays(event: bytes) -> None:
    assert stripped([event]) == event


@given(st.sampled_from([recorded.body for recorded in RECORDED.values()]).flatmap(cut))
def test_what_a_client_sees_is_the_same_for_any_chunking(chunks: list[bytes]) -> None:
    assert stripped(chunks) == stripped([b"".join(chunks)])


def test_the_events_around_it_pass_as_they_come() -> None:
    dialect = by_path(CHAT)
    assert dialect is not None
    stripper = dialect.stripper()
    for event in SEEN:
        wire = stream_of(event, done=b"")
        assert stripper.feed(wire) is wire
    assert stripper.feed(stream_of(COUNTED)) == DONE
