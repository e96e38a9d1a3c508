"""One member is read, or refused by its name."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from proxy.dialects.wire.fields import (
    flag,
    formatted,
    inner,
    listed,
    model,
    number,
    text,
    too_many,
)
from proxy.dialects.wire.members import Members, parse
from proxy.errors import Refusal

READERS: dict[str, Callable[..., Any]] = {
    "text": text,
    "flag": flag,
    "inner": inner,
    "listed": listed,
    "number": lambda members, name: number(members, name, least=0),
}
NOTHING: dict[str, Any] = {
    "text": None,
    "flag": False,
    "inner": {},
    "listed": False,
    "number": None,
}


@pytest.mark.parametrize("kind", READERS)
def test_null_is_the_same_as_absent(kind: str) -> None:
    assert READERS[kind](parse(b'{"y":1}'), "x") == NOTHING[kind]
    assert READERS[kind](parse(b'{"x":null}'), "x") == NOTHING[kind]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", b'"alice"', "alice"),
        ("text", b'"\\u00e9"', "é"),
        ("text", b'""', None),
        ("flag", b"true", True),
        ("flag", b"false", False),
        ("number", b"0", 0),
        ("number", b"7", 7),
        ("listed", b"[]", False),
        ("listed", b"[ \n ]", False),
        ("listed", b"[ 1 ]", True),
        ("listed", b"[" + b" " * 40 + b"]", True),
    ],
)
def test_a_member_of_the_right_type_is_read(kind: str, value: bytes, expected: object) -> None:
    assert READERS[kind](parse(b'{"x":%s}' % value), "x") == expected


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", (b"1", b"[]", b"{}", b"true")),
        ("flag", (b"1", b'"true"', b"[]", b"{}", b"0.0")),
        ("inner", (b"1", b'"x"', b"[]", b"true")),
        ("listed", (b"1", b'"x"', b"{}", b"true", b'"["')),
        ("number", (b"1.5", b"7.0", b'"1"', b"true", b"-1", b"[1]", b"1e400", b"-" + b"9" * 99)),
    ],
)
def test_a_member_of_a_wrong_type_or_size_is_refused_by_name(
    kind: str, values: tuple[bytes, ...]
) -> None:
    for value in values:
        with pytest.raises(Refusal) as caught:
            READERS[kind](parse(b'{"x":%s}' % value), "x")
        assert caught.value.status == 400
        assert caught.value.code == "caller_bad_request"
        assert caught.value.param == "x"
        assert "'x'" in caught.value.message


def test_a_member_within_another_is_named_by_its_path() -> None:
    for read in (text, flag, inner):
        with pytest.raises(Refusal) as caught:
            read(parse(b'{"x":7}'), "x", "outer.x")
        assert caught.value.param == "outer.x"


def test_nesting_that_was_just_not_too_deep_for_the_body_is_refused_by_name() -> None:
    def deeper(members: Members, frames: int) -> Members:
        return deeper(members, frames - 1) if frames else inner(members, "x")

    refusals = []
    for depth in range(850, 1000):
        try:
            members = parse(b'{"x":{"y":%s}}' % (b"[" * depth + b"]" * depth))
        except Refusal:
            break
        try:
            deeper(members, 10)
        except Refusal as refused:
            refusals.append((refused.status, refused.param))
    # From Python 3.12 on, C counts its own depth alone: what `parse` took is taken further down.
    assert set(refusals) == ({(400, "x")} if sys.version_info < (3, 12) else set())


@pytest.mark.parametrize("body", [b"{}", b'{"model":null}', b'{"model":""}', b'{"model":5}'])
def test_a_request_without_a_model_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        model(parse(body))
    assert caught.value.param == "model"


def test_the_model_is_returned() -> None:
    assert model(parse(b'{"model":"support"}')) == "support"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", False),
        (b'{"type":"text"}', False),
        (b'{"type":"json_object"}', True),
        (b'{"type":"json_schema","json_schema":{}}', True),
    ],
)
def test_plain_text_is_no_format(body: bytes, expected: bool) -> None:  # noqa: FBT001  # a column
    assert formatted(parse(body), "response_format") is expected


def test_a_formats_type_is_a_string() -> None:
    with pytest.raises(Refusal) as caught:
        formatted(parse(b'{"type":1}'), "response_format")
    assert caught.value.param == "response_format.type"


def test_a_member_of_very_many_elements_is_known_before_it_is_decoded() -> None:
    assert too_many(parse(b'{"x":[' + b"{}," * 400_000 + b"{}]}")["x"])
    assert not too_many(parse(b'{"x":["' + b"a" * 2_000_000 + b'"]}')["x"])
    assert not too_many(parse(b'{"x":[' + b"1," * 200_000 + b"1]}")["x"])
