"""How the file is read: strictly, with the place of each value, and references followed."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.config.source import Document, load
from proxy.config.source.files import keep_file, read_file
from proxy.config.source.load import DEEPEST, LARGEST_FILE, dotted
from proxy.config.source.references import Unresolved, mask, read_secret
from proxy.errors import ConfigError


@pytest.fixture
def read(tmp_path: Path) -> "Reads":
    return Reads(tmp_path / "turnout.yaml")


class Reads:
    """Loads text as a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, text: str | bytes, **environ: str) -> Document:
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(str(self.file), environ)


def reasons(document: Document) -> list[tuple[int, int, str]]:
    return [(each.line, each.column, each.reason) for each in document.problems]


def test_words_follow_yaml_1_2(read: Reads) -> None:
    text = "[no, on, y, 12:30, 0o17, 1_000, 2026-11-22, true, False, 007, 1e3, -.5, .inf, ~, null]"

    document = read(text)

    assert document.value == [
        *("no", "on", "y", "12:30", "0o17", "1_000", "2026-11-22"),
        *(True, False, 7, 1000.0, -0.5, float("inf"), None, None),
    ]
    assert document.problems == []


def test_a_quoted_word_is_text(read: Reads) -> None:
    assert read("""["1", 'true', "~"]""").value == ["1", "true", "~"]


def test_a_number_too_long_for_any_use_is_not_finite(read: Reads) -> None:
    assert read(f"[{'9' * 5000}]").value == [float("inf")]


def test_every_value_knows_its_line_and_column_also_after_references(read: Reads) -> None:
    document = read('a: {b: ${LONG_NAME}, c: 1}\n"d.e":\n  - ü\n  - x\n', LONG_NAME="v")

    assert document.value == {"a": {"b": "v", "c": 1}, "d.e": ["ü", "x"]}
    assert document.places[("a", "c")] == (1, 22)
    assert document.places[("d.e", 1)] == (4, 5)


def test_a_path_is_written_as_people_would() -> None:
    assert dotted(("routes", "gpt-4.1", "fallback", 0)) == 'routes."gpt-4.1".fallback[0]'
    assert dotted(()) == ""


def test_a_problem_without_a_place_of_its_own_stands_at_its_parents(read: Reads) -> None:
    document = read("a:\n  b: {}\n")

    document.report(("a", "b", "missing", "far"), "is missing", "add it")

    assert reasons(document) == [(2, 3, "is missing")]
    assert str(document.problems[0]).endswith(":2:3: a.b.missing.far is missing; add it")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_said_to_be_empty(read: Reads, text: str) -> None:
    assert reasons(read(text)) == [(1, 1, "is empty")]


def test_a_byte_order_mark_is_no_matter(read: Reads) -> None:
    document = read(b"\xef\xbb\xbfa: 1\nb: 2")

    assert document.value == {"a": 1, "b": 2}
    assert document.places[("a",)] == (1, 1)


def test_text_in_another_encoding_is_told_with_its_place(read: Reads) -> None:
    assert reasons(read("a: 1\nb: bücher".encode("latin-1"))) == [(2, 5, "is not UTF-8 text")]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ue000", "\uf8ff", "\ufffe"])
def test_a_character_that_can_stand_for_nothing_is_told_with_its_place(
    read: Reads, character: str
) -> None:
    document = read(f"a: 1\nb: x{character}")

    assert reasons(document) == [
        (2, 5, f"has the character U+{ord(character):04X}, which no setting needs")
    ]


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    for file in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="can't be read") as caught:
            load(str(file), {})
        assert caught.value.unreadable


def test_a_pipe_in_a_files_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="can't be read: it is no regular file"):
        load(str(pipe), {})
    with pytest.raises(Unresolved, match="refers to the file"):
        read_secret("file:pipe", tmp_path)


def test_what_is_no_file_costs_no_open_file_either(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match=r"directory|no regular file"):
            read_file(place, 1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_is_kept_follows_no_link_and_is_its_owners_alone(tmp_path: Path) -> None:
    target, path = tmp_path / "theirs", tmp_path / "kept"
    (tmp_path / ".kept.new").symlink_to(target)
    path.symlink_to(target)
    keep_file(path, b"ours")
    assert not target.exists()
    assert (path.read_bytes(), stat.S_IMODE(path.lstat().st_mode)) == (b"ours", 0o600)


def test_a_file_of_a_hundred_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as opened:
        opened.truncate(100_000_000)

    with pytest.raises(ConfigError, match=f"larger than {LARGEST_FILE:,} bytes") as caught:
        load(str(file), {})
    assert caught.value.unreadable


def test_a_truncated_file_is_no_valid_yaml(read: Reads) -> None:
    ((line, _, reason),) = reasons(read("a: {b: 1,\n  c: [2, 3"))

    assert line == 2
    assert reason.startswith("is not valid YAML")


@pytest.mark.parametrize("text", ["[" * 10_000, "{a: " * 10_000, "- " * 10_000, "? " * 10_000])
def test_deep_nesting_is_refused_before_it_hurts(read: Reads, text: str) -> None:
    assert "not valid YAML" in reasons(read(text))[-1][2]


def test_depth_up_to_the_limit_is_read(read: Reads) -> None:
    assert read("[" * DEEPEST + "]" * DEEPEST).problems == []
    assert read("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)).value is None


def test_a_bomb_of_aliases_does_not_go_off(read: Reads) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

    document = read("\n".join(lines))

    assert len(document.problems) == 30 + 29 * 9
    assert len(str(document.value)) < 3000


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_the_text_there_are_values_or_problems_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text, encoding="utf-8")

    document = load(str(file), {})

    assert document.problems or document.value is not None or text.strip()


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("${}:-A b,[]#&*!|>'\"%@`\n\t"), max_size=40))
def test_text_of_nothing_but_marks_never_crashes_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "marks.yaml"
    file.write_text(text, encoding="utf-8")

    load(str(file), {"A": "value"})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${A}", "1"),
        ('"${A}${A}"', "11"),
        ("'${A}'", "1"),
        ("x${A}y", "x1y"),
        ("${NONE:-d, e: f}", "d, e: f"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${NONE:-}", ""),
        ("${A:-d}", "1"),
        ("$${A}", "${A}"),
        ("$$A", "$A"),
        ("$A", "$A"),
        ("'^a$'", "^a$"),
        ("$$$${A}", "$${A}"),
    ],
)
def test_references_are_followed_in_any_style_and_inside_braces(
    read: Reads, written: str, value: str
) -> None:
    block = read(f"key: {written}\n", A="1", EMPTY="")
    flow = read(f"{{key: {written}, next: 2}}\n", A="1", EMPTY="")

    assert block.value == {"key": value}
    assert flow.value == {"key": value, "next": 2}
    assert block.problems == flow.problems == []


def test_what_a_reference_gives_is_not_read_as_yaml_or_as_a_reference(read: Reads) -> None:
    document = read("a: ${A}\nb: ${B}\n", A="{x: 1}\ny: 2", B="${A}")

    assert document.value == {"a": "{x: 1}\ny: 2", "b": "${A}"}
    assert document.referred == {("a",), ("b",)}


def test_a_reference_in_a_key_or_a_comment_is_left_alone(read: Reads) -> None:
    assert read("${A}: 1  # ${B}\n").value == {"${A}": 1}


def test_many_references_are_told_apart() -> None:
    names = [f"N{number}" for number in range(20_000)]
    references = mask(" ".join(f"${{{name}}}" for name in names))

    assert references.resolve(references.text, {name: name for name in names}) == " ".join(names)


def test_a_secret_may_stand_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" sk-1\n", encoding="utf-8")

    assert read_secret("file:key", tmp_path) == "sk-1"
    assert read_secret(f"file:{tmp_path}/key", Path("/nowhere")) == "sk-1"
    assert read_secret("sk-2", tmp_path) == "sk-2"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_told_without_its_content(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(Unresolved) as caught:
        read_secret("file:key", tmp_path)
    assert "holds no secret" in caught.value.reason


def test_a_secret_file_with_an_impossible_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unresolved):
        read_secret("file:a\0b", tmp_path)
