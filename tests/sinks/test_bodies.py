"""Bodies are kept as they came, but for what is masked and what is beyond their size."""

import json
import zlib
from collections.abc import Callable

import pytest

from proxy.config.settings import BodySettings
from proxy.exchange import Bodies, Observation
from proxy.sinks.bodies import EDGE, SECONDS, Scribe
from tests.support.observed import observed

WITHHELD = "[withheld: redaction took too long]"


def scribe(
    *patterns: str,
    most: int = 65_536,
    everywhere: tuple[str, ...] = (),
    clock: Callable[[], float] = lambda: 0.0,
) -> Scribe:
    made = Scribe(clock)
    made.adopt({"support": BodySettings(max_bytes=most, redact=patterns)}, everywhere)
    return made


def kept(scribe: Scribe, bodies: Bodies, dialect: str = "chat") -> tuple[str, str, bool, bool]:
    found = scribe.write(observed(bodies=bodies, dialect=dialect)).bodies
    assert found is not None
    request, reply = (zlib.decompress(each).decode() for each in (found.request, found.reply))
    assert (found.request_bytes, found.reply_bytes) == (bodies.request_bytes, bodies.reply_bytes)
    return request, reply, found.request_whole, found.reply_whole


def whole(request: bytes, reply: bytes, *, events: bool = False) -> Bodies:
    return Bodies(request, reply, len(request), len(reply), events=events)


def stream(*pieces: str) -> bytes:
    events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


def content(reply: str) -> str:
    found: str = json.loads(reply)["choices"][0]["message"]["content"]
    return found


def test_without_patterns_they_stay_as_they_came() -> None:
    request, reply = b'{ "a": "\\u00e9" }', b"no json"
    assert kept(scribe(), whole(request, reply)) == (request.decode(), "no json", True, True)
    assert kept(scribe(), whole(b"", b"")) == ("", "", True, True)


def test_what_is_beyond_the_size_is_cut_off_and_no_character_is_cut_in_two() -> None:
    assert kept(scribe(most=4), whole("aüü".encode(), b"12345")) == ("aü", "1234", False, False)


def test_the_routes_patterns_and_those_of_all_are_masked() -> None:
    made = scribe(r"sk-\w+", everywhere=(r"\d{4}",))
    bodies = whole(b'{"a": "sk-1 \\u0031234", "b": 1}', b'[{"c": "sk-\\u0032"}, 1234]')
    assert kept(made, bodies) == (
        '{"a":"[redacted] [redacted]","b":1}',
        '[{"c":"[redacted]"},"[redacted]"]',
        True,
        True,
    )
    assert kept(made, whole(b"sk-1 {", b"\xff 1234")) == (
        "[redacted] {",
        "\N{REPLACEMENT CHARACTER} [redacted]",
        True,
        True,
    )


@pytest.mark.parametrize("patterns", [(), ("x{9}",)])
def test_a_stream_is_kept_as_the_reply_that_it_adds_up_to(patterns: tuple[str, ...]) -> None:
    _, reply, _, all_of_it = kept(
        scribe(*patterns), whole(b"", stream("Hel", "lo", " \ud83d", "\ude00"), events=True)
    )
    assert (content(reply), all_of_it) == ("Hello \N{GRINNING FACE}", True)


def test_a_secret_that_comes_in_pieces_is_masked() -> None:
    pieces = stream("my key: s", "k", "-", "12", "34.")
    _, reply, _, _ = kept(scribe(r"sk-\d+"), whole(b"", pieces, events=True))
    assert content(reply) == "my key: [redacted]."


def test_of_a_secret_that_crosses_the_cut_no_half_is_shown() -> None:
    made = scribe("S{200}")
    text = "." * 1000 + "S" * 200
    asked = b'{"a": "' + text.encode()
    cut = Bodies(asked[:-50], stream(*text[:-50]), len(asked), 99_999_999, events=True)
    request, reply, asked_all, answered_all = kept(made, cut)
    assert (asked_all, answered_all) == (False, False)
    assert "S" not in request
    assert request.startswith('{"a": "...')
    assert "S" not in content(reply)
    assert len(content(reply)) == 1150 - EDGE


def test_what_is_no_text_is_said_to_be_there() -> None:
    assert kept(scribe(), Bodies(b"{}", b"", 2, 700))[1::2] == ("[binary, 700 bytes]", False)
    odd = whole(b"", b'data: {"choices": [7]}\n\n', events=True)
    assert kept(scribe(), odd)[1::2] == ("[unreadable, 24 bytes]", False)
    assert kept(scribe(), whole(b"", stream("x"), events=True), "embeddings")[1].startswith(
        "[unreadable"
    )


def test_deep_nesting_is_masked_as_a_text() -> None:
    deep = b"[" * 5000 + b'"sk-1"' + b"]" * 5000
    request = kept(scribe(r"sk-\d"), whole(deep, b""))[0]
    assert request.count("[redacted]") == 1
    assert "sk-1" not in request


def test_a_pattern_that_runs_away_withholds_the_body(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = json.dumps("a" * 399 + "!").encode()
    made = scribe("(a+)+$")
    assert kept(made, whole(hostile, b'"b"'))[:3] == (WITHHELD, '"b"', False)
    for _ in range(20):
        assert kept(made, whole(hostile, b""))[0] == WITHHELD
    assert capsys.readouterr().out.count("too slow") <= 6


def test_all_patterns_together_take_only_so_long() -> None:
    times = iter([0.0, *[0.01] * 5, *[SECONDS] * 100])
    made = scribe("x", clock=lambda: next(times))
    assert kept(made, whole(b'["a", "b", "c"]', b'["d", "e", "f"]'))[:2] == (
        '["a","b","c"]',
        WITHHELD,
    )


def test_bodies_that_are_not_to_be_kept_any_more_are_let_go_and_those_lost_are_counted() -> None:
    made = scribe()
    plain = observed()
    assert made.write(plain) is plain
    seen = observed(bodies=whole(b"q", b"r"))
    other = made.write(observed(route="sales", bodies=whole(b"q", b"r")))
    assert (other.bodies, made.dropped) == (None, 0)
    lost: Observation = made.write(observed(bodies=Bodies(lost=True)))
    assert (lost.bodies, made.dropped) == (None, 1)
    assert (made.skip(seen).bodies, made.dropped) == (None, 2)
    made.adopt({}, ())
    assert (made.write(seen).bodies, made.dropped) == (None, 2)
