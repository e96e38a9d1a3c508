"""Whose token is shown, and the one that is made where none is configured."""

import stat
from pathlib import Path

import pytest

from proxy.config.settings import TOKEN_FILE as FILE
from proxy.config.settings import AdminToken
from proxy.controlplane.admin.entrance.tokens import Tokens, digest_of, local_token

MADE = "made-0123456789-0123456789-0123456789"


def known(name: str, value: str) -> AdminToken:
    return AdminToken(name=name, sha256=digest_of(value.encode()), role="reader")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def nothing() -> str:
    raise AssertionError("none is to be made")


def test_a_token_is_known_by_its_digest(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, nothing)
    tokens.adopt([known("ann", "a"), known("rob", "b")])
    found = [tokens.owner(shown) for shown in (b"a", b"b", b"c", b"", digest_of(b"a").encode())]
    assert [each and each.name for each in found] == ["ann", "rob", None, None, None]


def test_nobody_is_known_before_tokens_are_adopted(tmp_path: Path) -> None:
    assert Tokens(tmp_path, nothing).owner(b"") is None


def test_the_local_token_is_known_only_while_none_are_configured(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, lambda: MADE)
    tokens.adopt([])
    found = tokens.owner(MADE.encode())
    assert found is not None
    assert (found.name, found.role) == ("local", "admin")
    tokens.adopt([known("ann", "a")])
    assert tokens.owner(MADE.encode()) is None


def test_a_token_is_made_once_and_read_again(tmp_path: Path) -> None:
    first = local_token(tmp_path, lambda: MADE)
    again = local_token(tmp_path, lambda: "another")
    assert (
        first == again == AdminToken(name="local", sha256=digest_of(MADE.encode()), role="admin")
    )
    assert (tmp_path / FILE).read_text() == f"{MADE}\n"
    assert mode(tmp_path / FILE) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("written", [b"", b"short\n", b"\xff" * 64])
def test_what_was_not_written_whole_is_made_again(tmp_path: Path, written: bytes) -> None:
    (tmp_path / FILE).write_bytes(written)
    (tmp_path / FILE).chmod(0o600)
    (tmp_path / f".{FILE}.new").write_text("left behind")
    assert local_token(tmp_path, lambda: MADE).sha256 == digest_of(MADE.encode())
    assert mode(tmp_path / FILE) == 0o600


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660])
def test_a_token_that_others_could_read_is_replaced(tmp_path: Path, open_to: int) -> None:
    path = tmp_path / FILE
    path.write_text("read-by-others-0123456789-0123456789\n")
    path.chmod(open_to)
    assert local_token(tmp_path, lambda: MADE).sha256 == digest_of(MADE.encode())
    assert mode(path) == 0o600


def test_its_path_is_logged_and_its_value_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local_token(tmp_path, lambda: MADE)
    (tmp_path / FILE).chmod(0o644)
    local_token(tmp_path, lambda: MADE)
    said = "".join(capsys.readouterr())
    assert str(tmp_path / FILE) in said
    assert MADE not in said
    assert digest_of(MADE.encode()) not in said


def test_where_the_local_token_can_not_be_kept_nobody_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileNotFoundError):
        local_token(tmp_path / "nowhere", lambda: MADE)
    tokens = Tokens(tmp_path / "nowhere", lambda: MADE)
    tokens.adopt([])
    assert tokens.owner(MADE.encode()) is None
    assert "No such file" in "".join(capsys.readouterr())
