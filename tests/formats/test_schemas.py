"""A schema is checked as the standard says, and none takes control down, whoever wrote it."""

import json
import time
from typing import Any

import pytest

from proxy.formats.schemas import Schema, Uncheckable

EXPONENTIAL = {
    "$ref": "#/$defs/0",
    "$defs": {str(n): {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(30)}
    | {"30": {"type": "string"}},
}
RUNAWAY = "^(a|aa)+$"


def holds(schema: Any, value: object) -> bool:
    return Schema(json.dumps(schema).encode()).holds(value)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (True, 1, ...),
        (False, ..., 1),
        ({"type": "integer", "minimum": 3}, 3, 2),
        ({"required": ["a"], "properties": {"a": {"type": "string"}}}, {"a": ""}, {"a": 1}),
        ({"pattern": "^a+$"}, "aa", "b"),
        ({"pattern": "^a+$"}, 5, "b"),
        ({"patternProperties": {"^x": {"type": "null"}}}, {"x": None, "y": 1}, {"x": 1}),
        ({"patternProperties": {"^x": {}}}, 5, ...),
        ({"additionalProperties": False}, {}, {"a": 1}),
        ({"additionalProperties": False}, 5, ...),
        (
            {
                "properties": {"a": {}},
                "patternProperties": {"^x": {}},
                "additionalProperties": False,
            },
            {"a": 1, "xy": 2},
            {"y": 1},
        ),
        ({"additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": "b"}),
        ({"uniqueItems": True}, [1, 2, {"a": 1}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
        ({"uniqueItems": False}, [1, 1], ...),
        ({"enum": [None, "a"]}, None, "b"),
        ({"$defs": {"a": {"type": "null"}}, "items": {"$ref": "#/$defs/a"}}, [None], [1]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "const": 1}, 1, 2),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1}, 1, 0),
    ],
)
def test_a_schema_holds_of_what_it_says(schema: Any, good: object, bad: object) -> None:
    assert good is ... or holds(schema, good)
    assert bad is ... or not holds(schema, bad)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"$ref": "#"}, 1, id="round in a circle"),
        pytest.param(EXPONENTIAL, 1, id="every branch of very many"),
        pytest.param({"pattern": RUNAWAY}, "a" * 5000 + "!", id="a pattern that runs away"),
        pytest.param({"patternProperties": {RUNAWAY: {}}}, {"a" * 5000 + "!": 1}, id="in a name"),
        pytest.param({"$ref": "http://127.0.0.1:9/x"}, 1, id="over the network"),
        pytest.param({"$ref": "file:///etc/passwd"}, 1, id="into the machine"),
        pytest.param({"$ref": "#/$defs/none"}, 1, id="nowhere"),
        pytest.param({"type": "nothing"}, 1, id="no schema"),
        pytest.param([], 1, id="no mapping"),
        pytest.param({"pattern": "("}, "x", id="no pattern"),
        pytest.param(
            {"patternProperties": {"a": {}}, "unevaluatedProperties": False}, {}, id="unbounded"
        ),
        pytest.param(
            {"items": {"$ref": "#"}}, json.loads("[" * 400 + "]" * 400), id="as deep as the stack"
        ),
    ],
)
def test_what_can_not_be_told_within_bounds_is_said_to_be_so(schema: Any, value: object) -> None:
    began = time.process_time()
    with pytest.raises(Uncheckable):
        holds(schema, value)
    assert time.process_time() - began < 10  # half a second: a machine may be slow


def test_what_is_no_json_is_no_schema() -> None:
    with pytest.raises(Uncheckable):
        Schema(b"{")


def test_large_lists_take_no_longer_than_they_are_long() -> None:
    began = time.process_time()
    assert holds({"uniqueItems": True}, [{"a": n} for n in range(16_000)])
    with pytest.raises(Uncheckable):
        holds({"items": {"enum": [f"x{n}" for n in range(8000)]}}, ["x1"] * 16_000)
    assert time.process_time() - began < 10  # same
