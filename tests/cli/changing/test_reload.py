from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin


def test_the_file_is_read_again(turnout: Run, admin: ServedAdmin) -> None:
    text = admin.house.file.read_text(encoding="utf-8")
    assert turnout("reload").stdout == "nothing to change: the routing stays version 1\n"
    admin.house.write(text.replace("base: 90", "base: 80"))

    assert turnout("reload").stdout == "in force on 2/2 workers after 2 ms (version 2)\n"
    admin.house.write(text + "x: 1\ny: 2\n")
    rejected = turnout("reload")

    assert rejected.exit_code == 1
    assert rejected.stdout.startswith("rejected: version 2 stays in force\n")
    assert len(rejected.stdout.splitlines()) == 3
