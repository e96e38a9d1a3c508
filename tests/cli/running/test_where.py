from pathlib import Path

import pytest

from proxy.cli.faults import Fault
from proxy.cli.running.where import Found, declared, where
from proxy.errors import ConfigError

URL = Found(value="http://127.0.0.1:9/", source="--admin-url")
TOKEN = Found(value="t" * 32, source="TURNOUT_ADMIN_TOKEN")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, token: str | None = "kept") -> str:
    """Write a configuration file of that folder, and turnout's token where it says it is."""
    path = folder / "turnout.yaml"
    path.write_text(text, encoding="utf-8")
    data = folder / "turnout-data"
    data.mkdir(exist_ok=True)
    if token is not None:
        (data / "admin.token").write_text(f"{token}\n", encoding="utf-8")
    return str(path)


def test_what_is_given_needs_no_file(folder: Path) -> None:
    found = where(URL, TOKEN, declared(None, {}))

    assert found.url == Found(value="http://127.0.0.1:9", source="--admin-url")
    assert found.token == TOKEN


def test_without_a_file_the_defaults_hold_and_say_so(folder: Path) -> None:
    found = where(None, None, declared(None, {}))

    assert found.url.value == "http://127.0.0.1:8001"
    assert found.url.source == "the default: there is no turnout.yaml in this folder"
    assert found.token == Found(value="", source="turnout-data/admin.token is not there")


def test_the_file_says_where_it_is_and_its_data_directory_has_the_token(folder: Path) -> None:
    write(folder, "admin: {listen: '127.0.0.1:9001'}")

    found = where(None, None, declared(None, {}))

    assert found.url.value == "http://127.0.0.1:9001"
    assert found.url.source == "admin.listen in turnout.yaml"
    assert found.token == Found(value="kept", source="turnout-data/admin.token")


def test_a_data_directory_starts_at_the_files_folder(folder: Path) -> None:
    inside = folder / "etc"
    (inside / "kept").mkdir(parents=True)
    (inside / "kept" / "admin.token").write_text("there", encoding="utf-8")
    file = inside / "own.yaml"
    file.write_text("data_dir: ${WHERE}", encoding="utf-8")

    found = where(None, None, declared(str(file), {"WHERE": "kept"}))

    assert found.token.value == "there"


@pytest.mark.parametrize(
    "text", ["upstreams: {a: {api_key: '${UNSET}'}}\nadmin: {listen: '[::]:7'}", "x: [", "- 1", ""]
)
def test_a_file_that_is_wrong_elsewhere_does_not_keep_anybody_out(folder: Path, text: str) -> None:
    write(folder, text)

    found = where(None, None, declared(None, {}))

    assert found.url.value in ("http://[::1]:7", "http://127.0.0.1:8001")
    assert found.token.value == "kept"


@pytest.mark.parametrize("text", ["x: [", "admin: {listen: nowhere}", "admin: {listen: '[::]:7'}"])
def test_a_running_turnout_is_found_whatever_its_file_says_now(folder: Path, text: str) -> None:
    write(folder, text)
    (folder / "turnout-data" / "admin.address").write_text("0.0.0.0:9001 77\n", encoding="utf-8")

    found = where(None, None, declared(None, {}))

    assert found.url == Found(value="http://127.0.0.1:9001", source="turnout-data/admin.address")
    assert found.token.value == "kept"


def test_where_nobody_answers_at_the_kept_address_the_files_is_tried(folder: Path) -> None:
    write(folder, "admin: {listen: 'elsewhere.example:7'}")
    (folder / "turnout-data" / "admin.address").write_text("127.0.0.1:9001 77", encoding="utf-8")

    found = where(None, None, declared(None, {}))

    assert found.instead is not None
    assert found.instead.url.value == "http://elsewhere.example:7"
    assert found.instead.token.value == "", "a token of this host is not sent there"
    assert where(URL, None, declared(None, {})).instead is None


def test_an_address_that_is_none_is_as_good_as_none(folder: Path) -> None:
    write(folder, "")
    kept = folder / "turnout-data" / "admin.address"
    for text in (b"", b"\xff", b"nowhere 77"):
        kept.write_bytes(text)
        assert where(None, None, declared(None, {})).url.value == "http://127.0.0.1:8001"


@pytest.mark.parametrize("line", ["data_dir: own", "data_dir: '${WHERE}'  # here"])
def test_the_data_directory_of_a_file_that_is_no_yaml_is_found(folder: Path, line: str) -> None:
    write(folder, f"upstreams: [\n{line}\nroutes: }}")
    (folder / "own").mkdir()
    (folder / "own" / "admin.token").write_text("there", encoding="utf-8")

    assert where(None, None, declared(None, {"WHERE": "own"})).token.value == "there"


def test_the_environment_names_a_data_directory_before_the_file_does(folder: Path) -> None:
    file = write(folder, "data_dir: own")
    (folder / "kept").mkdir()
    (folder / "kept" / "admin.token").write_text("there", encoding="utf-8")

    for config in (file, None):
        found = where(None, None, declared(config, {"TURNOUT_DATA": str(folder / "kept")}))
        assert found.token.value == "there"
    assert declared(file, {"TURNOUT_DATA": ""}).data == folder / "own"


def test_a_file_that_was_named_must_be_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        declared("nowhere.yaml", {})


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("0.0.0.0:8001", "http://127.0.0.1:8001"),
        ("admin.internal:80", "http://admin.internal:80"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_what_listens_everywhere_is_reached_on_this_host(
    folder: Path, listen: str, url: str
) -> None:
    write(folder, f"admin: {{listen: '{listen}'}}")

    assert where(None, TOKEN, declared(None, {})).url.value == url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_the_kept_token_is_shown_to_this_host(folder: Path, host: str) -> None:
    write(folder, "")
    url = Found(value=f"http://{host}:8001", source="--admin-url")

    assert where(url, None, declared(None, {})).token.value == "kept"


def test_the_kept_token_is_shown_to_no_other_host(folder: Path) -> None:
    write(folder, "")
    url = Found(value="http://elsewhere.example:8001", source="--admin-url")

    found = where(url, None, declared(None, {})).token

    assert found.value == ""
    assert "not sent to http://elsewhere.example:8001" in found.source


def test_a_token_that_can_not_be_read_is_none(folder: Path) -> None:
    write(folder, "", token=None)
    (folder / "turnout-data" / "admin.token").mkdir()

    found = where(None, None, declared(None, {})).token

    assert found == Found(value="", source="turnout-data/admin.token can't be read by this user")


@pytest.mark.parametrize(
    "url", ["localhost:8001", "ftp://a", "http://", "http://[::1", "http://a:b", "http://a:0"]
)
def test_what_is_no_address_is_a_usage_error_that_says_where_it_came_from(
    folder: Path, url: str
) -> None:
    with pytest.raises(Fault, match="TURNOUT_ADMIN_URL is no address") as fault:
        where(Found(value=url, source="TURNOUT_ADMIN_URL"), TOKEN, declared(None, {}))

    assert fault.value.exit_code == 2


@pytest.mark.parametrize("token", ["two words", "übel", "a\nb"])
def test_what_can_be_no_token_is_a_usage_error_that_does_not_repeat_it(
    folder: Path, token: str
) -> None:
    with pytest.raises(Fault, match="--token holds no token") as fault:
        where(URL, Found(value=token, source="--token"), declared(None, {}))

    assert token not in fault.value.message
