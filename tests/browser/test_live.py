"""Stories of pages that hear of changes by the live channel, and of pages that cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from playwright.sync_api import Page, WebSocketRoute, expect

from faena.models import Job, Queue
from tests.browser.conftest import TIMEOUT_MS, Server
from tests.support.waiting import eventually

expect.set_options(timeout=TIMEOUT_MS)
#: A page whose clock stands never finds that a part is due by the hour.
NO_POLLING = "performance.now = () => 0"
NOTE_TIMES = """
    window.times = [];
    document.querySelector("#job-live").addEventListener("poll", () => window.times.push(Date.now()));
"""


def waiting(title: str) -> Job:
    now = timezone.now()
    return Job.objects.create(kind="k", queue="held", title=title, run_at=now + timedelta(hours=1), created=now)


@pytest.fixture
def unpolled(page: Page) -> Page:
    """A window that hears of changes by the channel alone."""
    page.add_init_script(NO_POLLING)
    return page


def test_the_list_shows_at_once_what_another_process_made(server: Server, unpolled: Page):
    unpolled.goto("/jobs/")
    job = waiting("Made elsewhere")
    expect(unpolled.locator(f"#job-{job.pk}")).to_be_visible()
    Job.objects.filter(pk=job.pk).update(state="cancelled", finished=Now())
    expect(unpolled.locator(f"#job-{job.pk}").get_by_text("Cancelled")).to_be_visible()


def test_a_jobs_page_hears_of_its_job(server: Server, unpolled: Page):
    job = waiting("Watched")
    unpolled.goto(f"/jobs/{job.pk}/")
    # What a replaced element would lose: the page changes in place, and the focus stays.
    unpolled.evaluate("document.querySelector('#job-live').mark = 1")
    unpolled.locator(".copyable button").focus()
    Job.objects.filter(pk=job.pk).update(done=3, total=10)
    expect(unpolled.locator("#job-live .bar.big")).to_have_attribute("aria-valuenow", "30")
    Job.objects.filter(pk=job.pk).update(state="cancelled", finished=Now())
    expect(unpolled.locator("#job-head .badge")).to_have_text("Cancelled")
    expect(unpolled.locator(".copyable button")).to_be_focused()
    assert unpolled.evaluate("document.querySelector('#job-live').mark") == 1


def test_a_queue_that_somebody_else_paused(server: Server, unpolled: Page):
    waiting("In a queue")
    unpolled.goto("/queues/")
    Queue.objects.update_or_create(name="held", defaults={"paused": Now(), "paused_by": "pia"})
    expect(unpolled.locator("#queue-held")).to_contain_text("paused by pia")
    Queue.objects.filter(name="held").update(paused=None)


def test_many_changes_are_few_requests(server: Server, unpolled: Page):
    job = waiting("Busy")
    unpolled.goto(f"/jobs/{job.pk}/")
    unpolled.evaluate(NOTE_TIMES)
    for done in range(1, 31):
        Job.objects.filter(pk=job.pk).update(done=done, total=30)
        unpolled.wait_for_timeout(50)
    Job.objects.filter(pk=job.pk).update(state="cancelled", finished=Now())
    expect(unpolled.locator("#job-head .badge")).to_have_text("Cancelled")
    times = unpolled.evaluate("window.times")
    assert len(times) >= 2
    assert [after - before for before, after in pairwise(times) if after - before < 400] == []


def refusing(*codes: int) -> tuple[Callable[[WebSocketRoute], Any], list[str]]:
    """What closes one connection after the other with these codes, and lets those after them through."""
    tried: list[str] = []

    def handle(route: WebSocketRoute) -> None:
        tried.append(route.url)
        if len(tried) <= len(codes):
            route.close(code=codes[len(tried) - 1])
        else:
            route.connect_to_server()

    return handle, tried


def test_a_page_whose_channel_is_refused_lives_on(server: Server, page: Page):
    handle, tried = refusing(1008)
    page.route_web_socket("**/ws/**", handle)
    page.goto("/jobs/")
    for title in ("One", "Another"):
        job = waiting(title)
        expect(page.locator(f"#job-{job.pk}")).to_be_visible()
    assert tried == [server.url.replace("http", "ws") + "/ws/monitor"]


def test_a_channel_that_broke_is_opened_again(server: Server, page: Page):
    handle, tried = refusing(1012, 1013)
    page.route_web_socket("**/ws/**", handle)
    page.goto("/jobs/")
    eventually(lambda: page.wait_for_timeout(50) or len(tried) == 3, what="the third connection")
    job = waiting("After all")
    expect(page.locator(f"#job-{job.pk}")).to_be_visible()
