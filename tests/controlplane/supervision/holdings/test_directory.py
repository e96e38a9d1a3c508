import os
import stat
from pathlib import Path

import pytest

from proxy.controlplane.supervision.holdings import directory
from proxy.errors import StartError


def test_it_is_made_for_this_user_only_and_kept_out_of_version_control(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    with directory.hold(str(folder)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / ".gitignore").read_text() == "*\n"
        assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o600


def test_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    (tmp_path / ".gitignore").write_text("mine\n")
    with directory.hold(str(tmp_path)):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750
        assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_second_turnout_is_told_what_to_do_and_comes_in_once_the_first_is_gone(
    tmp_path: Path,
) -> None:
    with directory.hold(str(tmp_path)):
        with pytest.raises(StartError, match=r"another turnout .* --data DIR\.") as caught:
            directory.hold(str(tmp_path))
        assert str(tmp_path) in str(caught.value)
    directory.hold(str(tmp_path)).close()


def test_an_inherited_lock_is_held_on_until_the_last_lets_go(tmp_path: Path) -> None:
    first = directory.hold(str(tmp_path))
    successor = directory.hold(str(tmp_path), os.dup(first.fileno()))
    first.close()
    with pytest.raises(StartError):
        directory.hold(str(tmp_path))
    successor.close()
    directory.hold(str(tmp_path)).close()


def test_an_inherited_lock_of_another_directory_is_let_go(tmp_path: Path) -> None:
    first = directory.hold(str(tmp_path / "a"))
    successor = directory.hold(str(tmp_path / "b"), os.dup(first.fileno()))
    first.close()
    directory.hold(str(tmp_path / "a")).close()
    successor.close()


@pytest.mark.parametrize("blocked", ["file", "folder"])
def test_where_it_can_not_be_written_to_the_remedy_is_said(
    tmp_path: Path, blocked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    if blocked == "file":
        place.write_text("")
        place = place / "data"
    else:
        monkeypatch.setattr("os.access", lambda *_: False)  # root's is never refused
    with pytest.raises(StartError, match=r"can't use the data directory .* --data DIR\."):
        directory.hold(str(place))
