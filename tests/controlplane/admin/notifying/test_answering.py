"""A test of those who are told of alerts, asked for over HTTP."""

from proxy.notifiers import Tried
from tests.support.administered import READER, administered
from tests.support.published import NOON

TOOK_IT = Tried(notifier="slack", where="hooks.slack.com", seconds=0.1234)
REFUSED = Tried(notifier="email", where="smtp.example.com", seconds=2.0, trouble="TimeoutError")


async def test_each_notifier_is_sent_a_test_in_the_name_of_who_asked() -> None:
    async with administered() as admin:
        admin.told.answers = [TOOK_IT, REFUSED]
        answer = await admin.post("/api/v1/notify")
        (notice,) = admin.told.notices
        assert admin.entries == [], "nothing was changed"
    assert answer.json() == {
        "notifiers": [
            {
                "notifier": "slack",
                "host": "hooks.slack.com",
                "taken": True,
                "reason": None,
                "milliseconds": 123.4,
            },
            {
                "notifier": "email",
                "host": "smtp.example.com",
                "taken": False,
                "reason": "TimeoutError",
                "milliseconds": 2000.0,
            },
        ]
    }
    assert notice.sentence == "turnout: a test that ann asked for; nothing is wrong"
    assert notice.first_at == NOON


async def test_who_may_only_read_has_nobody_told() -> None:
    async with administered() as admin:
        answer = await admin.ask("POST", "/api/v1/notify", token=READER)
        assert admin.told.notices == []
    assert answer.status_code == 403
