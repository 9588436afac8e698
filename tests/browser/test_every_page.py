"""What holds on every page: people who cannot see, or have only a keyboard, can use it; nothing stored runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from faena.ledger import schedules
from faena.models import AlertRule, AuditEntry, Incident, Job, JobItem, JobLog, Schedule, Snapshot
from tests.browser.conftest import Server
from tests.support import jobs

EVIL = "\"><img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"


@pytest.fixture(scope="module")
def job(server: Server) -> Job:
    """A job with everything a page can show, all of it hostile; and what the other pages show."""
    now = timezone.now()
    error = {"type": EVIL, "message": EVIL, "traceback": EVIL, "attempt": 0, "at": now.isoformat()}
    made = Job.objects.create(
        kind=EVIL[:200], title=EVIL[:200], queue=EVIL[:200], state="failed", args=[EVIL], kwargs={EVIL: EVIL},
        error=error,
        errors=[error], result=EVIL, cursor={"row": EVIL}, tags=[EVIL], created_by=EVIL[:100], worker=EVIL[:100],
        failure=EVIL[:200], created=now - timedelta(minutes=3), started=now - timedelta(minutes=2), finished=now,
        done=5, failed=2, total=9, fence=1,
    )  # fmt: skip
    Job.objects.create(
        kind=EVIL[:200], queue=EVIL[:200], title=EVIL[:200], root_id=made.pk, parent_id=made.pk, created=now
    )
    for state in ("done", "failed"):
        JobItem.objects.create(job=made, key=EVIL[:150] + state, state=state, message=EVIL, output={"a": EVIL}, at=now)
    for level in ("info", "error"):
        JobLog.objects.create(job=made, level=level, text=EVIL, at=now)
    AuditEntry.objects.create(actor=EVIL[:150], action=EVIL[:40], job_id=made.pk, details={"queue": EVIL})
    Schedule.objects.filter(name__startswith="evil").delete()
    own = {"task": jobs.count.name, "kwargs": {"total": 2}, "kind": "interval", "every": 3600}
    schedules.save(Schedule(name=f"evil {EVIL}"[:255], **own))
    rule = AlertRule.objects.create(
        name=f"evil {EVIL}"[:100], condition="oldest_wait", threshold=9e9, channel="mail", target="a@b.co"
    )
    Incident.objects.create(rule=rule, started=now, found={"value": 1, "names": [EVIL]})
    Snapshot.objects.get_or_create(name="disk", defaults={"at": now, "value": {"percent_free": 50}})
    return made


def addresses(job: Job) -> list[str]:
    schedule = Schedule.objects.filter(name__startswith="evil").latest("pk")
    plain = ("/", "/jobs/", "/jobs/?state=failed", "/failures/", "/queues/", "/workers/", "/schedules/", "/alerts/")
    one = (f"/jobs/{job.pk}/", f"/jobs/{job.pk}/again", f"/schedules/{schedule.pk}/", f"/schedules/{schedule.pk}/edit")
    return [*plain, *one, "/alerts/new", "/audit/", "/settings/"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_every_page_is_accessible_fits_and_runs_nothing_that_is_stored(
    server: Server, job, new_page, sign_in, scheme, width
):
    page = new_page(width=width, color_scheme=scheme)
    sign_in(page, "ada", is_superuser=True, is_staff=True)
    axe, problems = Axe(), []
    for address in addresses(job):
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        assert page.evaluate("window.pwned === undefined")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            problems.append(f"{address}: scrolls sideways")
        found = axe.run(page, options={"resultTypes": ["violations"]})
        for each in found.response["violations"]:
            if each["impact"] in {"serious", "critical"}:
                problems.append(f"{address}: {each['id']} {[node['html'][:160] for node in each['nodes'][:3]]}")
    assert not problems, "\n".join(problems)


def test_a_menu_opens_and_closes_by_keyboard(server: Server, page):
    page.goto("/jobs/")
    page.locator("#more-filters summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Tag")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Tag")).to_be_hidden()
    expect(page.locator("#more-filters summary")).to_be_focused()
