"""Stories of people who look after the whole: queues, workers, schedules, many jobs at once."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from faena.ledger import schedules
from faena.models import AlertRule, AuditEntry, Job, Occurrence, Queue, Schedule, Worker
from tests.browser.conftest import TIMEOUT_MS, Server
from tests.support import jobs
from tests.support.waiting import eventually

expect.set_options(timeout=TIMEOUT_MS)
MANY = 120


def failed(count: int, kind: str, **values) -> None:
    now = timezone.now()
    own = {
        "kind": kind,
        "queue": "celery",
        "state": "failed",
        "started": now,
        "finished": now,
        "created": now,
        "fence": 1,
    }
    error = {"type": "ValueError", "message": "no such order", "traceback": ""}
    Job.objects.bulk_create([Job(**own, args=[1, 2], error=error, **values) for _ in range(count)])


def scheduled(name: str) -> Schedule:
    Schedule.objects.filter(name=name).delete()
    return schedules.save(Schedule(name=name, task=jobs.count.name, kwargs={"total": 2}, kind="interval", every=3600))


def test_the_overview_says_at_a_glance_how_things_are(server: Server, page: Page):
    job = jobs.count.delay(total=3)
    server.until(job.id, "completed")
    expect(page.get_by_text("The books")).to_be_visible()
    expect(page.locator("#books").get_by_text("balanced", exact=True)).to_be_visible()
    expect(page.locator(".chart .chart-done").first).to_be_attached()
    page.locator(".chart g").last.hover()
    expect(page.locator("[data-chart-said]")).to_have_text(re.compile("completed"))
    page.get_by_role("link", name="24 hours").click()
    expect(page).to_have_url(re.compile("span=day"))


def test_find_a_failed_job_among_its_group_and_retry_it(server: Server, page: Page):
    failed(1, jobs.add.name, title="Send order 4711", failure="ValueError in shop/orders.py:send")
    page.get_by_role("link", name="Failures", exact=True).click()
    page.get_by_role("link", name="ValueError in shop/orders.py:send").first.click()
    expect(page.locator("#job-head .badge")).to_have_text("Failed")
    page.locator("#job-head").get_by_role("button", name="Retry").click()
    expect(page.locator("#job-head .badge")).to_have_text("Completed")


def test_retry_everything_that_matches_and_watch(server: Server, page: Page):
    failed(MANY, jobs.add.name, tags=["many"])
    page.goto(f"/jobs/?state=failed&kind={jobs.add.name}&tag=many")
    page.get_by_role("button", name="Retry all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("also to those that are not on this page")
    dialog.get_by_role("button", name="Retry all").click()
    expect(page.locator("#job-head .badge")).to_have_text("Completed")
    expect(page.get_by_text(f"{MANY} done")).to_be_visible()
    again = Job.objects.filter(kind=jobs.add.name, state="completed", tags=["many"])
    eventually(lambda: again.count() >= MANY, what="all have run again")


def test_a_purge_asks_for_the_name_of_the_queue(server: Server, page: Page):
    now = timezone.now()
    Job.objects.bulk_create([Job(kind="k", queue="to-purge", run_at=now, created=now) for _ in range(3)])
    page.goto("/queues/")
    page.locator("#queue-to-purge").get_by_role("button", name="Purge").click()
    button = page.get_by_role("dialog").get_by_role("button", name="Cancel all that waits")
    expect(button).to_be_disabled()
    page.get_by_label("Type the queue's name").fill("to-purg")
    expect(button).to_be_disabled()
    page.get_by_label("Type the queue's name").fill("to-purge")
    button.click()
    page.get_by_role("link", name="Watch it").click()
    expect(page.locator("#job-head .badge")).to_have_text("Completed")
    assert set(Job.objects.filter(queue="to-purge").values_list("state", flat=True)) == {"cancelled"}


def test_pause_and_resume_a_queue(server: Server, page: Page):
    now = timezone.now()
    Job.objects.create(kind="k", queue="to-pause", run_at=now + timedelta(hours=1), created=now)
    page.goto("/queues/")
    page.locator("#queue-to-pause").get_by_role("button", name="Pause").click()
    expect(page.locator("#queue-to-pause")).to_contain_text("paused by olga")
    page.locator("#queue-to-pause").get_by_role("button", name="Resume").click()
    expect(page.locator("#queue-to-pause").get_by_role("button", name="Pause")).to_be_visible()
    assert Queue.objects.get(name="to-pause").paused is None


def test_a_worker_shows_what_it_runs_and_gets_another_place(server: Server, page: Page):
    job = jobs.count.delay(total=400, pause=0.05)
    server.until(job.id, "running")
    page.goto("/workers/")
    expect(page.locator(f"#active-{job.id}")).to_be_visible()
    worker = Worker.objects.get()
    page.get_by_role("button", name="One place more").click()
    expect(page.get_by_text("gets one more place")).to_be_visible()
    eventually(lambda: Worker.objects.get().slots == worker.slots + 1, what="it has grown")
    page.get_by_role("button", name="One place less").click()
    eventually(lambda: Worker.objects.get().slots == worker.slots, what="it has shrunk")
    page.goto(f"/jobs/{job.id}/")
    page.locator("#job-head").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.locator("#job-head .badge")).to_have_text("Cancelled")


def test_skip_an_occurrence_and_take_it_back(server: Server, page: Page):
    schedule = scheduled("to skip")
    page.goto("/schedules/")
    page.get_by_role("link", name="to skip").click()
    first = page.locator(".times li").first
    first.get_by_role("button", name="Skip").click()
    expect(first).to_have_class("skipped")
    assert Occurrence.objects.get(schedule=schedule).outcome == "skipped"
    first.get_by_role("button", name="Undo").click()
    expect(first.get_by_role("button", name="Skip")).to_be_visible()
    assert not Occurrence.objects.filter(schedule=schedule).exists()


def test_make_a_schedule_and_run_it_now(server: Server, page: Page):
    Schedule.objects.filter(name="made here").delete()
    page.goto("/schedules/new")
    page.get_by_label("Name", exact=True).fill("made here")
    page.get_by_label("Task").fill(jobs.count.name)
    page.get_by_label("Arguments by name").fill('{"total": 2}')
    page.get_by_label("Every").fill("2h")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="made here")).to_be_visible()
    expect(page.get_by_text("Every 2 hours", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    page.get_by_role("link", name="Watch it").click()
    expect(page.locator("#job-head .badge")).to_have_text("Completed")
    page.goto("/schedules/")
    expect(page.locator('.strip [data-state="completed"]').first).to_be_attached()
    assert AuditEntry.objects.filter(action="run schedule").exists()


def test_a_view_is_kept_and_found_again(server: Server, page: Page):
    failed(1, "shop.view", title="In the view")
    page.goto("/jobs/?state=failed&kind=shop.view")
    page.locator("#views summary").click()
    page.get_by_role("button", name="Keep these filters").click()
    page.get_by_label("Name", exact=True).fill("Shop failures")
    page.get_by_role("button", name="Keep the view").click()
    page.goto("/jobs/")
    page.locator("#views summary").click()
    page.get_by_role("link", name="Shop failures").click()
    expect(page).to_have_url(re.compile(r"state=failed&kind=shop\.view"))
    expect(page.get_by_text("In the view")).to_be_visible()


def test_filters_are_offered_set_and_taken_away(server: Server, page: Page):
    failed(1, "shop.tagged", title="Tagged", tags=["lima"])
    page.goto("/jobs/")
    page.locator("#more-filters summary").click()
    page.get_by_label("Tag").fill("lima")
    page.locator("#more-filters").get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"\?tag=lima$"))
    expect(page.get_by_text("Tagged", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_title("Take this filter away").click()
    expect(page).to_have_url(re.compile(r"/jobs/$"))


def test_an_export_is_a_file(server: Server, page: Page):
    failed(1, "shop.export", title="Exported")
    page.goto("/jobs/?kind=shop.export")
    page.locator("#export summary").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="As CSV").click()
    with open(waiting.value.path(), encoding="utf-8") as file:
        assert "Exported" in file.read()


def test_viewers_look_and_decide_nothing(server: Server, new_page, sign_in):
    page = new_page()
    sign_in(page, "vito")
    scheduled("for viewers")
    failed(1, "shop.viewed")
    for address in ("/jobs/?state=failed", "/queues/", "/workers/", "/schedules/", "/failures/", "/alerts/", "/audit/"):
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        acts = (
            "main form[method=post]:not([action*=views]) button",
            "[data-dialog^=many]",
            "[data-dialog=purge-dialog]",
        )
        expect(page.locator(", ".join(acts))).to_have_count(0)


def test_an_admin_makes_an_alert_rule_and_its_key_is_never_shown(server: Server, new_page, sign_in):
    AlertRule.objects.all().delete()
    page = new_page()
    sign_in(page, "ada", is_superuser=True, is_staff=True)
    page.goto("/alerts/")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name", exact=True).fill("Slow queues")
    page.get_by_label("Condition").select_option("oldest_wait")
    page.get_by_label("Threshold").fill("86400")
    page.get_by_label("Tell by").select_option("webhook")
    page.get_by_label("Address").fill("http://127.0.0.1:9/hunter2")
    page.get_by_label("Signing key").fill("hunter3")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Slow queues")
    assert "hunter" not in page.content()
    AlertRule.objects.all().delete()
