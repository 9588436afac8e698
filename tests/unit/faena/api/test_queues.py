from __future__ import annotations

from faena.ledger import sql
from faena.models import AuditEntry
from tests.support import inline


def test_queues_say_what_waits_and_since_when(viewer, make_job):
    pk = make_job(queue="mail")
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now()} WHERE id = %s", [sql.key(pk)])
    [queue] = viewer.get("/api/queues").json()["data"]
    assert (queue["name"], queue["waiting"], queue["running"], queue["paused"]) == ("mail", 1, 0, None)
    assert queue["oldest_wait_seconds"] >= 0


def test_a_queue_is_paused_and_resumed(operator):
    assert operator.post("/api/queues/mail/pause").json() == {"changed": True}
    assert operator.post("/api/queues/mail/pause").json() == {"changed": False}
    assert operator.get("/api/queues").json()["data"][0]["paused_by"] == "token tests operator"
    assert operator.post("/api/queues/mail/resume").json() == {"changed": True}
    assert [each.action for each in AuditEntry.objects.filter(action__endswith="queue")] == [
        "resume queue",
        "pause queue",
    ]


def test_purging_a_queue_cancels_what_waits(operator, make_job, row):
    waiting, other = make_job(queue="mail"), make_job(queue="other")
    answer = operator.post("/api/queues/mail/purge")
    assert (answer.status_code, answer.json()["count"]) == (202, 1)
    inline.drain()
    assert (row(waiting).state, row(other).state) == ("cancelled", "pending")


def test_workers_are_listed(viewer):
    from faena.ledger.workers import Standing, beat

    beat(Standing("celery@here/1", "h|1|1", "here", 1, "solo", 1, ["celery"]))
    [worker] = viewer.get("/api/workers").json()["data"]
    assert (worker["name"], worker["queues"], worker["alive"]) == ("celery@here/1", ["celery"], True)
