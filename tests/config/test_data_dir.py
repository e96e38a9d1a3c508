from pathlib import Path

import pytest

from proxy.config.data_dir import data_dir

BROKEN = "upstreams: [\n{}\nroutes: }}"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("data_dir: own", "own"),
        ("data_dir: ${WHERE}", "there"),
        ("data_dir: /var/lib/turnout", "/var/lib/turnout"),
        ("data_dir: [1]", "turnout-data"),
        ("revision: 1", "turnout-data"),
        ("- a list", "turnout-data"),
        ("", "turnout-data"),
        (BROKEN.format("data_dir:   'own'  # here"), "own"),
        (BROKEN.format("data_dir: ${WHERE}"), "there"),
        (BROKEN.format("data_dir: 'own"), "turnout-data"),
        (BROKEN.format("  data_dir: own"), "turnout-data"),
        (BROKEN.format("# data_dir: own"), "turnout-data"),
    ],
)
def test_the_data_directory_is_read_off_a_bad_file_as_well(
    tmp_path: Path, text: str, folder: str
) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text(text, encoding="utf-8")

    assert data_dir(str(file), {"WHERE": "there"}) == str(tmp_path / folder)


def test_a_file_that_is_gone_has_the_default_one(tmp_path: Path) -> None:
    assert data_dir(str(tmp_path / "gone.yaml"), {}) == str(tmp_path / "turnout-data")
