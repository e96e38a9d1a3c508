from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin


def test_units_are_pinned_and_unpinned(turnout: Run, admin: ServedAdmin) -> None:
    assert turnout("pin", "support", "a=b@c=ft-v2").exit_code == 0
    assert admin.support()["pins"] == {"a=b@c": "ft-v2"}

    assert turnout("unpin", "support", "a=b@c", "--why", "done").exit_code == 0
    assert "pins" not in admin.support()
    assert admin.house.publisher.current.why == "done"
