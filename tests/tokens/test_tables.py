import socket
import subprocess
import sys

import pytest

from proxy.tokens.tables import encoding_name, load, read_table


@pytest.fixture(scope="module", autouse=True)
def no_network() -> object:
    """Any attempt to open a connection fails the test."""
    patch = pytest.MonkeyPatch()

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened: tables never come from the network")

    patch.setattr(socket, "socket", refused)
    patch.setattr(socket, "getaddrinfo", refused)
    yield None
    patch.undo()


def test_o200k_is_the_real_one() -> None:
    assert load("o200k_base").encode_ordinary("hello world") == [24912, 2375]


def test_cl100k_is_the_real_one() -> None:
    assert load("cl100k_base").encode_ordinary("hello world") == [15339, 1917]


def test_special_tokens_in_a_text_are_text() -> None:
    encoding = load("cl100k_base")
    assert encoding.eot_token == 100257
    assert encoding.eot_token not in encoding.encode_ordinary("<|endoftext|>")


def test_a_table_that_is_not_the_one_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="differs"):
        read_table("https://tables.invalid/cl100k_base.tiktoken", "0" * 64)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "o200k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("gpt-oss-120b", "o200k_base"),
        ("text-davinci-003", "o200k_base"),  # its own table does not ship
        ("support-lora-v2", "o200k_base"),
        (None, "o200k_base"),
    ],
)
def test_the_encoding_goes_by_tiktokens_list_and_is_o200k_otherwise(
    model: str | None, name: str
) -> None:
    assert encoding_name(model) == name


def test_importing_loads_no_table_and_needs_no_network() -> None:
    code = (
        "import socket; socket.socket.connect = None; import proxy.tokens.counter as c;"
        "counter = c.TokenCounter(); assert not counter._encodings"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
