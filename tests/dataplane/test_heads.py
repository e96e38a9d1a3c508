"""Heads to upstreams: what is remembered of a client's head is what would be written anew."""

import pytest

from proxy.config.settings import Limits, UpstreamSettings
from proxy.dataplane.writing.heads import HeadWriter
from proxy.http import Request
from proxy.http.head import Head, Heads

RAW = (
    b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: turnout\r\nAuthorization: Bearer s\r\n"
    b"Accept-Encoding: gzip\r\nX-A: b\r\nContent-Length: %d\r\n\r\n"
)


class Source:
    def want_body(self) -> None:
        raise AssertionError("nobody reads here")


def request(heads: Heads, length: int) -> Request:
    head, read = heads.read(RAW % length)
    return Request(head, read, Source(), 0)


def upstream(name: str, **changes: str) -> UpstreamSettings:
    return UpstreamSettings(name=name, scheme="http", host=name, port=80, **changes)  # type: ignore[arg-type]


def test_a_head_goes_up_with_the_length_of_its_own_body() -> None:
    writer, heads = HeadWriter(upstream("one"), keys_are_ours=False), Heads(Limits())
    for length in (5, 1500):
        assert writer.write(request(heads, length), "chat", length + 1) == (
            b"POST /v1/chat/completions?a=b HTTP/1.1\r\nhost: one\r\n"
            b"accept-encoding: identity\r\nAuthorization: Bearer s\r\nX-A: b\r\n"
            b"content-length: %d\r\n\r\n" % (length + 1)
        )


@pytest.mark.parametrize("dialect", ["chat", "none", "messages"])
def test_each_dialect_and_each_writer_has_its_own_head(dialect: str) -> None:
    heads = Heads(Limits())
    writers = [
        HeadWriter(upstream("one"), keys_are_ours=False),
        HeadWriter(upstream("two", api_key="k"), keys_are_ours=False),
        HeadWriter(upstream("one"), keys_are_ours=True),
        HeadWriter(upstream("one"), keys_are_ours=False, shadow=True),
    ]
    seen = request(heads, 5)
    for each in ("none", "chat", "messages"):  # so that something is remembered of each
        for writer in writers:
            writer.write(seen, each, 5)
    fresh = Head()
    length = fresh.parse(RAW % 7, Limits())
    anew = Request(fresh, length, Source(), 0)
    assert not fresh.kept
    for writer in writers:
        assert writer.write(request(heads, 7), dialect, 7) == writer.write(anew, dialect, 7)
    assert len({writer.write(anew, dialect, 7) for writer in writers[:3]}) == 3
