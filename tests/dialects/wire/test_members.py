"""A body is read in one way only, or refused; what nobody changes stays as it came."""

import json
from bisect import bisect

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from proxy.dialects.wire.members import MAX_DIGITS, encode, parse, rewrite
from proxy.errors import Refusal
from proxy.routing.table import Variant

# Text that is no JSON value, after the cases that JSONTestSuite says a parser must reject.
NOT_JSON = [
    b"",
    b" ",
    b"nul",
    b"nan",
    b"NaN",
    b"-NaN",
    b"Infinity",
    b"-Infinity",
    b"TRUE",
    b"True",
    b"tru",
    b"fals",
    b"undefined",
    b"'single'",
    b"*",
    b"a",
    b"\\u000A",
    b"\xc2\xa01",
    b"\xe2\x81\xa0",
    b"\x0c1",
    b"\x0b1",
    b"\x001",
    b"/* comment */ 1",
    b"1 // comment",
    b"1 # comment",
    b"01",
    b"-01",
    b"012",
    b"00",
    b"+1",
    b"++1",
    b"+Inf",
    b"-",
    b"--1",
    b"- 1",
    b"-a",
    b"-1x",
    b"-.1",
    b".1",
    b".-1",
    b".e1",
    b"1.",
    b"-2.",
    b"2.e3",
    b"2.e+3",
    b"0.e1",
    b"1.a",
    b"1.2.3",
    b"1eE2",
    b"1e",
    b"1e+",
    b"1e-",
    b"1E+",
    b"0e",
    b"0E+",
    b"0.3e",
    b"0.3e+",
    b"1e1.5",
    b"9.e+",
    b"1+2",
    b"1 000",
    b"0x1",
    b"0x42",
    b"1_000",
    b"1a",
    b"123abc",
    b"1\xe5",
    b"\xef\xbc\x91",
    b'"',
    b'"a',
    b'"\\',
    b'"\\"',
    b'"a\\',
    b'"\\a"',
    b'"\\x00"',
    b'"\\0"',
    b'"\\\\\\"',
    b'"\\u"',
    b'"\\u0"',
    b'"\\u00"',
    b'"\\u00A"',
    b'"\\u00G0"',
    b'"\\uqqqq"',
    b'"\\U0041"',
    b'"\\\xf0\x9f\x8c\x80"',
    b'"\\u\xe5"',
    b'"a\x00b"',
    b'"\x1f"',
    b'"new\nline"',
    b'"tab\there"',
    b'"\r"',
    b'"a"x',
    b'"a" "b"',
    b"[",
    b"]",
    b"[1",
    b"[1,",
    b"[,",
    b"[,1]",
    b"[1,]",
    b"[1,,2]",
    b"[1,,]",
    b"[,]",
    b"[1 2]",
    b"[1]]",
    b"[1:2]",
    b"[1}",
    b'["a',
    b'["a",\n4\n,1,',
    b"[a",
    b"[*]",
    b"[-]",
    b"[\\f]",
    b"[<null>]",
    b"[3[4]]",
    b"[x",
    b"[ \xff]",
    b"{",
    b"}",
    b"{{",
    b"{]",
    b"{,}",
    b"{1:1}",
    b"{9999E9999:1}",
    b"{null:1}",
    b"{a:1}",
    b"{'a':1}",
    b'{"a"}',
    b'{"a":}',
    b'{"a",1}',
    b'{"a":1',
    b'{"a":1,',
    b'{"a":1,}',
    b'{"a":1,,"b":2}',
    b'{"a" 1}',
    b'{"a"::1}',
    b'{"a":1 "b":2}',
    b'{"a":1]',
    b'{"a":1}}',
    b'{"a":1}#',
    b'{"a":1}/**/',
    b'{"a":1}//',
    b'{:"b"}',
    b'{"a":"b"',
    b'{"a',
    b'{"a":1 true}',
    b"{[1]:2}",
    b"<.>",
    b"\xef\xbb\xbf{}",
    b"\xef\xbb",
    b"\xff\xfe{\x00}\x00",
    b"\x00{\x00}",
]

BAD_UTF8 = {
    "a byte that begins nothing": b"\xff",
    "a continuation on its own": b"\x80",
    "a character cut short": b"\xe2\x82",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xc0\x80",
    "half a surrogate pair": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "latin 1": b"\xe9",
}

LONE_SURROGATES = [
    rb"\ud800",
    rb"\udc00",
    rb"\uDFAA",
    rb"\ud800\ud800",
    rb"\ud800x",
    rb"\ud800\u0041",
    rb"\uDd1e\uD834",
    rb"\ud800\n",
    rb"\ud800\\",
]

DEEP = 100_000


def refusal(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(body)
    assert caught.value.status == 400
    assert caught.value.code == "caller_bad_json"
    return caught.value


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    refusal(text)


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_no_json_is_refused_in_a_member_that_nobody_reads(text: bytes) -> None:
    refusal(b'{"model":"m","x":' + text + b"}")
    refusal(b'{"x":[{"y": ' + text + b' }],"model":"m"}')


@pytest.mark.parametrize("text", [b"[]", b"null", b"1", b'"a"', b"true", b"[{}]", b" 1.5 "])
def test_a_body_that_is_no_object_is_refused(text: bytes) -> None:
    assert refusal(text).message == "The request body must be a JSON object."


@pytest.mark.parametrize("piece", BAD_UTF8.values(), ids=BAD_UTF8)
def test_bad_utf8_is_refused_wherever_it_stands(piece: bytes) -> None:
    for body in (
        b'{"x":"%s"}' % piece,
        b'{"x":["ok",{"y":"a%sb"}]}' % piece,
        b'{"x":{"%s":1}}' % piece,
        b'{"%s":1}' % piece,
    ):
        assert refusal(body).message == "The request body is not valid UTF-8."


@pytest.mark.parametrize("half", LONE_SURROGATES)
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(half: bytes) -> None:
    for body in (b'{"x":"%s"}', b'{"x":[{"y":"a%s"}]}', b'{"%s":1}', b'{"x":{"%s":1}}'):
        refusal(body % half)


def test_whole_surrogate_pairs_are_characters() -> None:
    assert msgspec.json.decode(parse(rb'{"x":"\ud83d\ude00"}')["x"]) == "😀"


@pytest.mark.parametrize(
    "nest",
    [
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'[{"":' * (DEEP // 2),
    ],
    ids=["open lists", "lists", "open objects", "objects", "both"],
)
def test_deep_nesting_is_refused_also_in_a_member_that_nobody_reads(nest: bytes) -> None:
    refusal(nest)
    assert refusal(b'{"x":' + nest + b"}").message == "The request body is nested too deeply."


def too_deep(depth: int) -> bool:
    try:
        parse(b'{"x":' + b"[" * depth + b"]" * depth + b"}")
    except Refusal:
        return True
    return False


def test_nesting_at_the_very_limit_is_taken_or_refused() -> None:
    """The limit is Python's own, and higher from 3.12 on."""
    limit = bisect(range(DEEP), 0, key=too_deep)
    refusals = set()
    for depth in range(limit - 100, limit + 50):
        for body in (b'{"x":%s}', b'{ "x" : %s }'):
            try:
                parse(body % (b"[" * depth + b"]" * depth))
            except Refusal as refused:
                refusals.add(refused.message)
    assert refusals == {"The request body is nested too deeply."}


def test_nesting_that_a_schema_has_is_taken() -> None:
    assert parse(b'{"x":' + b"[" * 100 + b"]" * 100 + b"}")


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","model":"a"}',
        b'{ "model": "a", "x": 1, "model": "b" }',
        b'{"model":"a","\\u006dodel":"b"}',
        b'{"\\u006d\\u006f\\u0064el":"a","model":"b"}',
        b'{"":1,"":2}',
        b'{"x":1,"y":2,\n"x":3}',
        b'{"\\u0008":1,"\\b":2}',
    ],
)
def test_a_member_that_comes_twice_is_refused(body: bytes) -> None:
    assert "twice" in refusal(body).message


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"b":2}',
        b' { "a" : 1 , "b" : 2 } \n',
        b'{"\\u0061":1,"b":2}',
        b'{"a":{"x":1,"x":2},"b":{"x":1}}',
        b'{"a":1,"A":2,"\\u00e9":3,"\xc3\xa9\xcc\x81":4}',
        b"{}",
        b"\t{\r\n}\n",
    ],
)
def test_members_that_differ_are_taken_however_they_are_written(body: bytes) -> None:
    assert list(parse(body)) == list(json.loads(body))


@pytest.mark.parametrize("before", [0, 1, 137, 999, 1000, 1001])
@pytest.mark.parametrize("number", [b"%s", b"-%s", b"0.%s", b"1e%s"])
def test_a_number_of_endless_digits_is_refused(before: int, number: bytes) -> None:
    endless = number % (b"1" * 5000)
    assert "digits" in refusal(b'{"x":"' + b"a" * before + b'","y":' + endless + b"}").message
    assert "digits" in refusal(b'{"x":[' + b" " * before + endless + b"]}").message


@pytest.mark.parametrize("before", range(0, 1000, 111))
def test_the_limit_on_digits_is_exact(before: int) -> None:
    space = b" " * before
    assert parse(b'{"x":' + space + b"1" * (MAX_DIGITS - 1) + b"}")
    refusal(b'{"x":' + space + b"1" * MAX_DIGITS + b"}")


@pytest.mark.parametrize("around", [b'"%s"', b'"a\\"%s"', b'"\\\\%s"', b'["x","%s\\\\",1]'])
def test_endless_digits_in_a_string_are_text(around: bytes) -> None:
    assert parse(b'{"x":' + around % (b"1" * 5000) + b',"y":12}')


def test_a_refusal_says_where_the_grammar_broke() -> None:
    assert refusal(b'{"a":NaN}').message == "The request body is not valid JSON (at byte 5)."


def test_a_refusal_repeats_only_the_start_of_a_name() -> None:
    name = b"x" * 5000
    assert len(refusal(b'{"%s":1,"%s":2}' % (name, name)).message) < 200


@given(st.binary(max_size=200))
@example(b"\x80")
def test_nothing_but_a_refusal_comes_out_of_any_bytes(body: bytes) -> None:
    try:
        parse(body)
    except Refusal:
        return
    assert isinstance(json.loads(body), dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    value=st.dictionaries(st.text(max_size=8), json_values, max_size=6),
    indent=st.none() | st.integers(0, 3),
    ascii_only=st.booleans(),
    cut=st.integers(0, 400),
    put=st.binary(max_size=3),
)
def test_what_the_strictest_reader_reads_is_taken_and_nothing_else(
    value: dict[str, object],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001  # drawn, not passed
    cut: int,
    put: bytes,
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    body = text.encode("utf-8", "replace")
    try:
        members = parse(body)
    except Refusal:
        assert any(0xD800 <= ord(c) < 0xE000 for c in json.dumps(value, ensure_ascii=False))
        return
    assert {name: msgspec.json.decode(raw) for name, raw in members.items()} == value
    broken = body[:cut] + put + body[cut + len(put) :]
    try:
        parse(broken)
    except Refusal:
        return
    json.loads(broken.decode("utf-8"), parse_constant=pytest.fail)


MEMBERS = b'{ "model": "support", "n": 1.0, "x": {"\\u0061" : [1e2, 0.10]}, "messages": [ ] }'


def variant(model: str | None = None, **kinds: dict[str, bytes]) -> Variant:
    raws = {kind: {k: Raw(v) for k, v in members.items()} for kind, members in kinds.items()}
    return Variant(name="v", upstream="u", model=model, **raws)


def changed(chosen: Variant) -> bytes:
    return rewrite(MEMBERS, parse(MEMBERS), chosen)


@pytest.mark.parametrize(
    "chosen",
    [
        variant(),
        variant("support"),
        variant(overrides={"n": b"1.0"}),
        variant(defaults={"n": b"2"}),
    ],
)
def test_a_variant_that_changes_nothing_leaves_the_clients_own_bytes(chosen: Variant) -> None:
    assert changed(chosen) is MEMBERS


def test_only_the_model_changes_and_every_other_member_is_byte_exact() -> None:
    assert changed(variant('ft:"1"')) == (
        b'{"model":"ft:\\"1\\"","n":1.0,"x":{"\\u0061" : [1e2, 0.10]},"messages":[ ]}'
    )


def test_overrides_win_over_the_client_and_defaults_do_not() -> None:
    chosen = variant(
        overrides={"n": b"3", "seed": b"7"}, defaults={"n": b"4", "seed": b"8", "top_p": b"0.5"}
    )
    after = parse(changed(chosen))
    assert {name: bytes(after[name]) for name in ("n", "seed", "top_p", "model")} == {
        "n": b"3",
        "seed": b"7",
        "top_p": b"0.5",
        "model": b'"support"',
    }


def test_members_that_are_no_longer_those_of_a_body_are_written_anew() -> None:
    members = {**parse(MEMBERS), "stream": Raw(b"true")}
    assert rewrite(None, members, variant()) == encode(members)


def test_the_clients_members_are_never_changed_in_place() -> None:
    members = parse(MEMBERS)
    before = encode(members)
    rewrite(MEMBERS, members, variant("other", overrides={"n": b"3"}))
    assert encode(members) == before
