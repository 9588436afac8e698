"""Stories of people who watch and steer jobs."""

from __future__ import annotations

import re

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from faena.models import AuditEntry, Job
from tests.browser.conftest import TIMEOUT_MS, Server
from tests.support import jobs
from tests.support.waiting import eventually

expect.set_options(timeout=TIMEOUT_MS)
CLICKED = {"pause": "Pause", "resume": "Resume", "retry": "Retry", "cancel": "Cancel"}


def state(page: Page):
    return page.locator("#job-head .badge")


def act(page: Page, name: str) -> None:
    page.locator("#job-head").get_by_role("button", name=CLICKED[name]).click()


def open_job(page: Page, job) -> None:
    page.goto(f"/jobs/{job.id}/")


def processed(page: Page) -> int:
    return int(page.locator("#job-live .bar.big").get_attribute("aria-valuenow") or 0)


def has_no_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def cancel(page: Page) -> None:
    act(page, "cancel")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(state(page)).to_have_text("Cancelled")


def test_sign_in_by_a_link_that_works_once(server: Server, new_page):
    link = server.link(server.user("lena"))
    page = new_page()
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Faena")).to_be_visible()


def test_watch_a_running_job_move_and_finish(server: Server, page: Page):
    job = jobs.count.delay(total=100, pause=0.04)
    open_job(page, job)
    expect(state(page)).to_have_text("Running")
    # Marks that a replaced element would lose: the page changes in place.
    page.evaluate("document.querySelector('#job-live').mark = document.querySelector('.facts').mark = 1")
    expect(page.locator(".bar.big")).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    before = processed(page)
    eventually(lambda: page.wait_for_timeout(50) or processed(page) > before, what="the bar moves")
    expect(state(page)).to_have_text("Completed")
    expect(page.get_by_text("100%")).to_be_visible()
    expect(page.locator("[data-poll]")).to_have_count(0)
    assert page.evaluate("document.querySelector('#job-live').mark + document.querySelector('.facts').mark") == 2


def test_pause_a_running_job_and_resume_it_where_it_stopped(server: Server, page: Page):
    job = jobs.count.delay(total=400, pause=0.05)
    open_job(page, job)
    expect(state(page)).to_have_text("Running")
    act(page, "pause")
    expect(page.get_by_text("Pause requested")).to_be_visible()
    expect(state(page)).to_have_text("Paused")
    done = server.job(job.id).done
    assert done > 0
    act(page, "resume")
    expect(state(page)).to_have_text("Running")
    eventually(lambda: server.job(job.id).done > done, what="it goes on")
    cancel(page)


def test_cancel_asks_first(server: Server, page: Page):
    job = jobs.count.delay(total=2000, pause=0.05)
    open_job(page, job)
    expect(state(page)).to_have_text("Running")
    act(page, "cancel")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert not AuditEntry.objects.filter(job_id=job.id).exists()
    cancel(page)
    assert AuditEntry.objects.get(job_id=job.id).actor == "olga"


def test_retry_a_failed_job(server: Server, page: Page):
    job = jobs.boom.delay("no such supplier")
    server.until(job.id, "failed")
    page.goto("/jobs/?state=failed")
    page.get_by_role("link", name="tests.support.jobs.boom").first.click()
    expect(state(page)).to_have_text("Failed")
    expect(page.get_by_text("no such supplier").first).to_be_visible()
    expect(page.locator("pre", has_text="Traceback (most recent call last)")).to_be_visible()
    act(page, "retry")
    expect(page.get_by_text("queued again")).to_be_visible()
    eventually(lambda: server.job(job.id).fence == 2, what="it ran again")
    expect(state(page)).to_have_text("Failed")


def test_what_just_became_impossible_is_said_kindly(server: Server, page: Page):
    job = jobs.add.apply_async((1, 2), countdown=3600)
    open_job(page, job)
    expect(state(page)).to_have_text("Pending")
    # The page hears nothing new; what the server answers to the click is let through.
    page.route("**/live?*", lambda route: route.fulfill(status=204))
    with page.expect_response(lambda answer: answer.status == 204):
        pass
    Job.objects.filter(pk=job.id).update(state="cancelled", finished=Now())
    act(page, "pause")
    expect(page.get_by_text("It may just have changed")).to_be_visible()
    expect(state(page)).to_have_text("Cancelled")
    expect(page.locator("#job-live")).to_have_count(1)


def test_find_jobs_by_state_and_text(server: Server, page: Page):
    done, failed = jobs.count.delay(total=3), jobs.picky.delay(rows=[])
    server.until(done.id, "completed")
    server.until(failed.id, "failed")
    page.goto("/jobs/")
    page.get_by_role("navigation", name="State").get_by_role("link", name="Failed").click()
    expect(page).to_have_url(re.compile("state=failed"))
    expect(page.locator(f"#job-{failed.id}")).to_be_visible()
    expect(page.locator(f"#job-{done.id}")).to_have_count(0)
    page.goto("/jobs/")
    page.keyboard.press("/")
    page.keyboard.type("Count to 3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=Count\+to\+3$"))
    expect(page.locator(f"#job-{done.id}")).to_be_visible()
    expect(page.locator(f"#job-{failed.id}")).to_have_count(0)
    page.get_by_label("Kind", exact=True).fill("tests.support.jobs.count")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("kind=tests.support.jobs.count"))


def test_the_list_updates_itself(server: Server, page: Page):
    page.goto("/jobs/")
    job = jobs.count.delay(total=5)
    expect(page.locator(f"#job-{job.id}").get_by_text("Completed")).to_be_visible()


def test_a_hidden_page_asks_for_nothing(server: Server, page: Page):
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isAway === true})")
    page.goto("/jobs/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("window.isAway = true")
    page.clock.run_for(20_000)
    assert [url for url in asked if "jobs/list" in url] == []
    with page.expect_request("**/jobs/list*"):
        page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
        page.clock.run_for(1_000)


def test_the_keyboard_is_enough(server: Server, page: Page):
    job = jobs.count.delay(total=4)
    server.until(job.id, "completed")
    page.goto("/jobs/?kind=tests.support.jobs.count")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("[data-row-link]").first).to_be_focused()
    # A refresh of the list leaves the focus where it is.
    with page.expect_response("**/jobs/list*"):
        jobs.add.apply_async((1, 2), countdown=3600)
    expect(page.locator("[data-row-link]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#job-live")).to_be_visible()


def test_light_or_dark_is_remembered(page: Page):
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_a_viewer_sees_no_buttons(server: Server, new_page, sign_in):
    page = new_page()
    sign_in(page, "vito")
    job = jobs.add.apply_async((1, 1), countdown=3600)
    open_job(page, job)
    expect(state(page)).to_have_text("Pending")
    expect(page.locator("#job-head button")).to_have_count(0)


def test_another_language_is_one_click_away(page: Page):
    page.get_by_role("button", name="español").click()
    expect(page.get_by_role("heading", name="Resumen", exact=True)).to_be_visible()


@pytest.mark.parametrize("outcome", ["running", "failed", "with_errors"])
def test_everything_fits_on_a_phone(server: Server, phone: Page, outcome: str):
    made = {
        "running": lambda: jobs.count.delay(total=400, pause=0.05),
        "failed": lambda: jobs.boom.delay("x" * 500),
        "with_errors": lambda: jobs.picky.delay(rows=[1, 0, 2]),
    }
    job = made[outcome]()
    server.until(job.id, "running", "failed", "completed_with_errors")
    phone.goto("/jobs/")
    expect(phone.locator(f"#job-{job.id}")).to_be_visible()
    assert has_no_sideways_scroll(phone)
    phone.locator(f"#job-{job.id} a").click()
    expect(phone.locator("#job-live")).to_be_visible()
    assert has_no_sideways_scroll(phone)
    if outcome == "running":
        act(phone, "pause")
        expect(state(phone)).to_have_text("Paused")
        cancel(phone)
