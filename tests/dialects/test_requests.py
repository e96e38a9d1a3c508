"""What routing and the record learn of a request, and what is refused by its name."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects import DIALECTS, Dialect, RequestFacts, by_path, parse
from proxy.dialects.chat import at_once, by_member
from proxy.errors import Refusal
from tests.dialects.recorded.forms import CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, RESPONSES


def dialect_at(path: str) -> Dialect:
    dialect = by_path(path)
    assert dialect is not None
    return dialect


def peek(path: str, **members: Any) -> RequestFacts:
    body = json.dumps(members).encode()
    return dialect_at(path).peek(body, parse(body))


def refused(path: str, **members: Any) -> str | None:
    with pytest.raises(Refusal) as caught:
        peek(path, **{"model": "m", **members})
    assert caught.value.status == 400
    assert caught.value.code == "caller_bad_request"
    return caught.value.param


TALK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]


def test_every_dialect_is_found_by_its_path_and_nothing_else_is() -> None:
    for dialect in DIALECTS:
        assert by_path(dialect.path) is dialect
    assert [dialect.name for dialect in DIALECTS] == [
        "chat",
        "completions",
        "embeddings",
        "responses",
        "messages",
    ]
    for path in ("/v1/models", "/v1/chat/completions/", "/chat/completions", ""):
        assert by_path(path) is None


def test_a_plain_chat_request() -> None:
    assert peek(CHAT, model="support", messages=TALK) == RequestFacts(
        model="support", prompt_chars=14, prompt_tail="Hello"
    )


def test_a_chat_request_with_everything() -> None:
    facts = peek(
        CHAT,
        model="support",
        messages=TALK,
        stream=True,
        stream_options={"include_usage": True},
        user="alice",
        n=3,
        max_tokens=10,
        max_completion_tokens=20,
        tools=[{"type": "function", "function": {"name": "f"}}],
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    )
    assert facts == RequestFacts(
        model="support",
        stream=True,
        user="alice",
        n=3,
        max_tokens=20,
        has_tools=True,
        has_format=True,
        prompt_chars=14,
        prompt_tail="Hello",
    )


def test_null_members_are_as_good_as_none() -> None:
    names = ("messages", "stream", "stream_options", "user", "safety_identifier", "n", "tools")
    more = ("functions", "max_tokens", "max_completion_tokens", "response_format")
    facts = peek(CHAT, model="m", **dict.fromkeys(names + more))
    assert facts == RequestFacts(model="m")


def test_a_safety_identifier_goes_before_the_user() -> None:
    for path in (CHAT, RESPONSES):
        assert peek(path, model="m", user="u", safety_identifier="s").user == "s"
        assert peek(path, model="m", user="u", safety_identifier="").user == "u"


def test_the_functions_of_old_are_tools() -> None:
    assert peek(CHAT, model="m", functions=[{"name": "f"}]).has_tools
    assert not peek(CHAT, model="m", tools=[]).has_tools


def test_a_plain_completions_request() -> None:
    facts = peek(COMPLETIONS, model="m", prompt="Once", user="u", max_tokens=0, stream=True)
    assert facts == RequestFacts(
        model="m",
        stream=True,
        user="u",
        wants_usage=False,
        max_tokens=0,
        prompt_chars=4,
        prompt_tail="Once",
    )


def test_the_best_of_many_are_as_many_choices() -> None:
    assert peek(COMPLETIONS, model="m", prompt="x", n=2, best_of=5).n == 5
    assert peek(COMPLETIONS, model="m", prompt="x", n=2).n == 2


def test_an_embeddings_request() -> None:
    assert peek(EMBEDDINGS, model="m", input=["one", "two"], user="u") == RequestFacts(
        model="m", user="u", prompt_chars=6, prompt_tail="one"
    )


def test_a_responses_request() -> None:
    facts = peek(
        RESPONSES,
        model="m",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            {"type": "function_call_output", "call_id": "c", "output": "42"},
        ],
        instructions="Be brief.",
        stream=True,
        max_output_tokens=9,
        tools=[{"type": "web_search"}],
        text={"format": {"type": "json_schema", "name": "x", "schema": {}}},
    )
    assert facts == RequestFacts(
        model="m",
        stream=True,
        max_tokens=9,
        has_tools=True,
        has_format=True,
        prompt_chars=5 + len('"Be brief."'),
        prompt_tail="Hello",
    )
    assert peek(RESPONSES, model="m", input="Hello").prompt_tail == "Hello"
    assert not peek(RESPONSES, model="m", text={"format": {"type": "text"}}).has_format
    assert not peek(RESPONSES, model="m", text={"verbosity": "low"}).has_format


def test_a_messages_request() -> None:
    facts = peek(
        MESSAGES,
        model="claude",
        max_tokens=64,
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        metadata={"user_id": "alice"},
        stream=True,
        tools=[{"name": "f", "input_schema": {}}],
    )
    assert facts == RequestFacts(
        model="claude",
        stream=True,
        user="alice",
        max_tokens=64,
        has_tools=True,
        prompt_chars=5,
        prompt_tail="Hello",
    )
    form = {"type": "json_schema", "schema": {}}
    assert peek(MESSAGES, model="m", output_format=form).has_format
    assert peek(MESSAGES, model="m", output_config={"format": form}).has_format


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES])
@pytest.mark.parametrize("model", [None, "", 5, ["m"], {"name": "m"}])
def test_a_model_is_a_string_that_says_something(path: str, model: Any) -> None:
    assert refused(path, model=model) == "model"


@pytest.mark.parametrize(
    ("path", "param", "values"),
    [
        (CHAT, "stream", (1, "true", [], {})),
        (CHAT, "stream_options", (1, "x", [], True)),
        (CHAT, "user", (1, [], {})),
        (CHAT, "safety_identifier", (1,)),
        (CHAT, "n", (0, -1, 1.5, "1", True)),
        (CHAT, "max_tokens", (-1, 1.5, "1")),
        (CHAT, "max_completion_tokens", (-1, "1")),
        (CHAT, "tools", (1, "x", {})),
        (CHAT, "functions", ({},)),
        (CHAT, "response_format", (1, "json", [])),
        (COMPLETIONS, "stream", (1,)),
        (COMPLETIONS, "user", (1,)),
        (COMPLETIONS, "n", (-1,)),
        (COMPLETIONS, "best_of", (-1, "1")),
        (COMPLETIONS, "max_tokens", (-1,)),
        (EMBEDDINGS, "user", (1,)),
        (RESPONSES, "stream", ("x",)),
        (RESPONSES, "user", (1,)),
        (RESPONSES, "safety_identifier", (1,)),
        (RESPONSES, "max_output_tokens", (-1, "1")),
        (RESPONSES, "tools", ({},)),
        (RESPONSES, "text", ("x", [])),
        (MESSAGES, "stream", ("x",)),
        (MESSAGES, "max_tokens", (-1, "1")),
        (MESSAGES, "metadata", ("x", [])),
        (MESSAGES, "tools", ({},)),
        (MESSAGES, "output_format", ("x",)),
        (MESSAGES, "output_config", ("x",)),
    ],
)
def test_a_member_of_a_wrong_type_or_size_is_refused_by_name(
    path: str, param: str, values: tuple[Any, ...]
) -> None:
    for value in values:
        assert refused(path, **{param: value}) == param


def test_members_within_members_are_named_by_their_path() -> None:
    assert refused(RESPONSES, text={"format": 5}) == "text.format"
    assert refused(RESPONSES, text={"format": {"type": 5}}) == "text.format.type"
    assert refused(CHAT, response_format={"type": 5}) == "response_format.type"
    assert refused(MESSAGES, metadata={"user_id": 5}) == "metadata.user_id"
    assert refused(MESSAGES, output_config={"format": 5}) == "output_config.format"


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
@pytest.mark.parametrize(
    ("options", "wants"),
    [
        (None, False),
        ({}, False),
        ({"include_usage": False}, False),
        ({"include_usage": None}, False),
        ({"include_usage": True}, True),
    ],
)
def test_a_stream_wants_usage_where_its_client_asks_for_it(
    path: str,
    options: Any,
    wants: bool,  # noqa: FBT001  # a column
) -> None:
    assert peek(path, model="m", stream=True, stream_options=options).wants_usage is wants
    assert peek(path, model="m", stream=False, stream_options=options).wants_usage


PARTS = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["", "user", "text", "x", 1, 0, -1, 1.0, 2**70]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["role", "content", "text", "type", "include_usage"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
TURN = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", None]),
        "content": st.none()
        | st.text(max_size=5)
        | st.lists(st.fixed_dictionaries({}, optional={"text": st.none() | st.text(max_size=3)})),
    },
)
ASKED = st.fixed_dictionaries(
    {"model": st.sampled_from(["m", "support"]) | PARTS},
    optional={
        "messages": st.lists(TURN, max_size=3) | st.text(max_size=5) | PARTS,
        "stream": st.booleans() | PARTS,
        "stream_options": st.fixed_dictionaries({"include_usage": st.booleans()}) | PARTS,
        "user": st.text(max_size=2) | PARTS,
        "safety_identifier": st.text(max_size=2) | PARTS,
        "n": st.integers(-1, 3) | PARTS,
        "max_tokens": st.integers(-1, 3) | PARTS,
        "max_completion_tokens": st.integers(-1, 3) | PARTS,
        "tools": st.lists(PARTS, max_size=2) | PARTS,
        "functions": st.lists(PARTS, max_size=2) | PARTS,
        "response_format": st.fixed_dictionaries({"type": st.sampled_from(["text", "x", ""])})
        | PARTS,
    },
)


@settings(max_examples=400)
@given(ASKED)
def test_a_chat_request_read_at_once_says_what_its_members_say(asked: dict[str, Any]) -> None:
    body = json.dumps(asked).encode()
    members = parse(body)
    try:
        facts = at_once(body)
    except msgspec.ValidationError:
        with contextlib.suppress(Refusal):  # it may still be taken, member by member
            assert dialect_at(CHAT).peek(body, members) == by_member(members)
    else:
        assert dialect_at(CHAT).peek(body, members) == facts == by_member(members)


def test_a_large_chat_request_is_read_member_by_member() -> None:
    facts = peek(CHAT, model="m", messages=[*TALK, {"role": "user", "content": "x" * 2_000_000}])
    assert facts.prompt_chars == 14 + 2_000_000
    assert facts.prompt_tail == "x" * 400


@settings(max_examples=200)
@given(
    path=st.sampled_from([dialect.path for dialect in DIALECTS]),
    members=st.dictionaries(
        st.sampled_from(
            [
                "messages",
                "input",
                "prompt",
                "stream",
                "user",
                "n",
                "tools",
                "metadata",
                "text",
                "response_format",
                "stream_options",
                "max_tokens",
                "system",
                "instructions",
            ]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["role", "content", "text", "type", "format"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ),
    ),
)
def test_nothing_but_a_refusal_comes_of_any_members(path: str, members: dict[str, Any]) -> None:
    try:
        facts = peek(path, **{"model": "m", **members})
    except Refusal:
        return
    assert facts.model == "m"
    assert len(facts.prompt_tail) <= 400


FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}


@pytest.mark.parametrize(
    ("path", "members"),
    [
        (CHAT, {"response_format": FORM}),
        (COMPLETIONS, {"response_format": FORM}),
        (RESPONSES, {"text": {"format": FORM}}),
        (MESSAGES, {"output_config": {"format": FORM}}),
        (MESSAGES, {"output_format": FORM}),
    ],
)
def test_the_form_that_a_request_asks_for_is_found_where_its_api_has_it(
    path: str, members: dict[str, Any]
) -> None:
    dialect = dialect_at(path)
    assert json.loads(dialect.form(parse(json.dumps(members).encode()))) == FORM
    assert dialect.form(parse(b'{"model": "m"}')) == b""
