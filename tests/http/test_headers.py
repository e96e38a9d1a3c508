import pytest

from proxy.http import HOP_BY_HOP, Fields, end_to_end, render
from proxy.http.headers import LONGEST_NAME, SPELLINGS, Spellings


def test_hop_by_hop_and_framing_headers_stay_in_any_spelling() -> None:
    stays = [(name.title(), b"x") for name in sorted(HOP_BY_HOP)]
    passes = [(b"X-B", b"1"), (b"Accept", b"*/*"), (b"x-b", b"2")]
    assert end_to_end([passes[0], *stays, *passes[1:]]) == passes


def test_what_connection_names_stays_too() -> None:
    headers = [
        (b"X-Mine", b"1"),
        (b"Connection", b"keep-alive, x-mine"),
        (b"X-Other", b"2"),
        (b"connection", b" X-Third "),
        (b"x-third", b"3"),
    ]
    assert end_to_end(headers) == [(b"X-Other", b"2")]


@pytest.mark.parametrize("value", [b"close", b"Keep-Alive", b"Upgrade", b"keep-alive, Upgrade"])
def test_usual_connection_options_name_no_header(value: bytes) -> None:
    assert end_to_end([(b"Connection", value), (b"Close", b"1")]) == [(b"Close", b"1")]


def test_the_caller_may_keep_back_more() -> None:
    headers = [(b"Host", b"a"), (b"X-A", b"1")]
    assert end_to_end(headers, extra_drop=frozenset({b"host"})) == [(b"X-A", b"1")]


def test_fields_are_rendered_in_the_spelling_and_order_they_have() -> None:
    assert render([(b"X-B", b"1"), (b"x-b", b"")]) == Fields(b"X-B: 1\r\nx-b: \r\n", dated=False)
    assert render([(b"dAte", b"today")]) == Fields(b"dAte: today\r\n", dated=True)
    assert render([]) == Fields(b"", dated=False)


@pytest.mark.parametrize("mischief", [b"\r\nSet-Cookie: x", b"\n", b"\r", b"\0"])
def test_nobody_writes_a_header_through_another(mischief: bytes) -> None:
    for name, value in ((b"a" + mischief, b"b"), (b"a", b"b" + mischief)):
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            render([(b"first", b"fine"), (name, value)])


def test_what_is_remembered_of_spellings_is_bounded_and_right() -> None:
    lower = Spellings(bytes)
    for number in range(3 * SPELLINGS):
        assert lower[b"X-%d" % number] == b"x-%d" % number
        assert len(lower) <= SPELLINGS
    lower.clear()
    assert lower[b"X" * (LONGEST_NAME + 1)] == b"x" * (LONGEST_NAME + 1)
    assert not lower
