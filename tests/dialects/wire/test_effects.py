"""What would do something twice if it were asked twice."""

import pytest

from proxy.dialects import has_effects, parse

FUNCTION = b'{"type":"function","function":{"name":"mcp","parameters":{"container":{}}}}'


@pytest.mark.parametrize(
    "members",
    [
        b'"messages":[]',
        b'"prompt":"Once"',
        b'"prompt":["Once",[1,2]]',
        b'"conversation":null,"background":false,"mcp_servers":[],"container":null',
        b'"tools":null',
        b'"tools":[]',
        b'"tools":[' + FUNCTION + b',{"type":"web_search"}]',
        b'"tools":[{"name":"look_up","input_schema":{}}]',
        b'"store":true,"previous_response_id":"resp_1"',
    ],
)
def test_what_only_makes_a_model_talk_has_no_effects(members: bytes) -> None:
    assert not has_effects(parse(b'{"model":"m",%b}' % members))


@pytest.mark.parametrize(
    "members",
    [
        b'"conversation":"conv_1"',
        b'"conversation":{"id":"conv_1"}',
        b'"background":true',
        b'"prompt":{"id":"pmpt_1"}',
        b'"container":"container_1"',
        b'"mcp_servers":[{"type":"url","url":"https://example.com"}]',
        b'"tools":[' + FUNCTION + b',{"type":"mcp","server_label":"mail"}]',
        b'"tools":[{"type":"code_interpreter","container":"cntr_1"}]',
    ],
)
def test_what_the_upstream_keeps_or_runs_itself_has_effects(members: bytes) -> None:
    assert has_effects(parse(b'{"model":"m",%b}' % members))


@pytest.mark.parametrize("tools", [b"7", b'["mcp"]', b'[{"type":1}]'])
def test_tools_that_can_not_be_read_may_have_effects(tools: bytes) -> None:
    assert has_effects(parse(b'{"model":"m","tools":%b}' % tools))
