"""Stories of somebody who looks at what people watch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from faena_systems.telemetry import rollups
from faena_systems.telemetry.models import ChannelRollup, HourRollup, MergedTelemetricOTT, SubscriberRollup
from tests.browser.conftest import TIMEOUT_MS, Server
from tests.unit.faena_systems.telemetry_analytics.conftest import LAST, made_views

expect.set_options(timeout=TIMEOUT_MS)
WIDE = "document.documentElement.scrollWidth > window.innerWidth"
VIEWS = made_views()[::8]


@pytest.fixture(scope="module")
def views(server: Server):
    """Views of the last ten weeks; gone afterwards."""
    rows = [view.row for view in VIEWS]
    for row in rows:
        if row.dataDate is not None:
            row.dataDate = timezone.localdate() - (LAST - row.dataDate)
    MergedTelemetricOTT.objects.bulk_create(rows, batch_size=500)
    rollups.rebuild()
    yield rows
    for model in (MergedTelemetricOTT, HourRollup, ChannelRollup, SubscriberRollup):
        model.objects.all().delete()


def weeks_of(days: Iterable[date]) -> int:
    """How many weeks, from Monday to Sunday, lie between the first and the last of the days."""
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    return (max(mondays) - min(mondays)).days // 7 + 1


def test_a_page_that_waits_for_views_opens_by_itself(server: Server, page: Page):
    page.goto("/telemetria/")
    expect(page.get_by_role("heading", name="No views yet")).to_be_visible()
    MergedTelemetricOTT.objects.create(recordId=1, actionId=8, dataId=1, dataDate=timezone.localdate(), timeDate=20)
    rollups.rebuild()
    expect(page.get_by_role("heading", name="Peak hours")).to_be_visible()
    MergedTelemetricOTT.objects.all().delete()


def test_period_steps_and_comparison_are_chosen(page: Page, views):
    page.goto("/telemetria/")
    page.get_by_role("link", name="7 days").click()
    expect(page.locator("#views rect.col")).to_have_count(7)
    page.get_by_label("Compared with").select_option("nothing")
    expect(page.locator("#views .line")).to_have_count(0)
    expect(page).to_have_url(re.compile("days=7"))
    page.get_by_role("link", name="All").click()
    page.get_by_role("link", name="Week", exact=True).click()
    expect(page.locator("#views rect.col")).to_have_count(weeks_of(row.dataDate for row in views if row.dataDate))
    page.get_by_label("First day").fill(str(timezone.localdate()))
    page.get_by_label("Last day").fill("2020-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("ends before it begins")


def test_charts_tell_what_is_under_the_pointer_and_under_the_arrow_keys(page: Page, views):
    page.goto("/telemetria/?days=7")
    plot = page.locator("#views [data-plot]")
    plot.scroll_into_view_if_needed()
    plot.hover()
    tip = page.get_by_role("status").filter(has_text="view")
    expect(tip).to_be_visible()
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    plot.focus()
    page.keyboard.press("End")
    last = page.locator("#views rect.col").last.get_attribute("data-tip")
    expect(tip).to_have_text(last or "")
    page.keyboard.press("ArrowLeft")
    expect(tip).not_to_have_text(last or "")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_every_chart_has_its_table(page: Page, views):
    page.goto("/telemetria/?days=7")
    page.locator("#views summary").click()
    expect(page.locator("#views .as-table tbody tr")).to_have_count(7)
    expect(page.get_by_role("table", name="Views by day of the week and hour").get_by_role("row")).to_have_count(8)


@pytest.mark.parametrize("query", ["", "?days=all&by=day&channels=50", "?since=2020-01-01&until=2020-01-02"])
def test_it_fits_a_phone(phone: Page, views, query):
    phone.goto(f"/telemetria/{query}")
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    assert not phone.evaluate(WIDE)
