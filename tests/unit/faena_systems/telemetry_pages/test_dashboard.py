from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from faena_systems.telemetry import rollups
from faena_systems.telemetry.models import HourRollup, MergedTelemetricOTT

from .conftest import INICIO, MADE, TODAY

pytestmark = pytest.mark.django_db

CARDS = [
    "Summary",
    "Views",
    "Peak hours",
    "Parts of the day",
    "Top channels",
    "Day over day",
    "Out of the ordinary",
    "Subscribers by how much they watch",
    "Longest views",
    "Who comes back",
]


def headings(answer):
    return [re.sub("<[^>]+>.*", "", each) for each in re.findall(r"<h2[^>]*>(.*?)</h2>", answer.text)]


def shown(number):
    return f"{number:,}"


def test_strangers_are_sent_to_the_sign_in_page(client):
    for address in (INICIO, f"{INICIO}sync"):
        assert client.get(address)["Location"].startswith("/sign-in/?next=/telemetria/")


def test_the_navigation_leads_to_it(web):
    assert f'href="{INICIO}" aria-current="page"' in web.get(INICIO).text


def test_without_views_it_says_what_to_do(web, monkeypatch):
    monkeypatch.delenv("PANACCESS_PASSWORD")
    text = web.get(INICIO).text
    assert "No views yet" in text
    assert "PANACCESS_PASSWORD=…" in text
    assert "PANACCESS_URL=" not in text
    assert "python manage.py telemetry_run" in text


def test_no_secret_is_shown(web, views, monkeypatch):
    monkeypatch.setenv("PANACCESS_PASSWORD", "hunter2")
    monkeypatch.setenv("PANACCESS_API_TOKEN", "t0ken")
    monkeypatch.delenv("PANACCESS_URL")
    text = web.get(INICIO).text
    assert "PANACCESS_URL=…" in text
    assert not re.search("hunter2|t0ken", text)


def test_with_views_every_card_is_there(web, views):
    answer = web.get(INICIO)
    assert [title for title in headings(answer) if title != "Synchronisation"] == CARDS
    period = [view for view in MADE if view.dataDate and TODAY - timedelta(days=30) < view.dataDate <= TODAY]
    assert f'<dd class="value">{shown(len(period))}</dd>' in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "days=all",
        "days=365&compare=year",
        "by=month&order=time&channels=50",
        "since=2025-12-01&until=2025-12-01",
        "compare=none",
        "since=2026-01-21&until=2026-02-01",
    ],
)
def test_whatever_is_chosen_is_drawn(web, views, query):
    answer = web.get(f"{INICIO}?{query}", headers={"accept-language": "es"})
    assert answer.status_code == 200
    assert answer.text.count("data-plot") == 3
    assert not re.search(
        r" style=|onclick|<script>|\b(nan|None|inf)\b", answer.text.split("<main")[1].split("</main>")[0]
    )


def test_a_table_stands_beside_each_plot(web, views):
    text = web.get(f"{INICIO}?since=2025-12-01&until=2025-12-10").text
    tables = re.findall(r'<details class="as-table".*?</details>', text, re.DOTALL)
    assert [table.count("<tr>") for table in tables[:2]] == [11, 11]
    assert text.count('<td class="h') == 7 * 24 + text.split('class="cohorts"')[-1].count('<td class="h')


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("since=2026-01-02&until=2026-01-01", "ends before it begins"),
        ("since=2026-01-02", "each as year-month-day"),
        ("since=2026-02-30&until=2026-03-01", "each as year-month-day"),
        ("since=1990-01-01&until=2026-03-01", "longer than ten years"),
        ("since=0001-01-01&until=0001-01-02", "between 1970 and 2199"),
    ],
)
def test_nonsense_is_said_and_the_usual_period_is_shown(web, views, query, why):
    answer = web.get(f"{INICIO}?{query}")
    assert why in answer.text
    assert (answer.context["choice"].period.until, answer.context["choice"].period.days) == (TODAY, 30)


@pytest.mark.parametrize("query", ["days=x&by=x&order=x&channels=x&compare=x", "days=&by=&compare="])
def test_unknown_choices_are_the_usual_ones(web, views, query):
    assert web.get(f"{INICIO}?{query}").context["choice"] == web.get(INICIO).context["choice"]


def test_a_period_without_views_says_when_there_are_some(web, views):
    text = web.get(f"{INICIO}?since=2020-01-01&until=2020-01-31").text
    assert "Nobody watched in this period" in text
    assert "There are views from" in text


def test_views_without_a_date_and_with_one_to_come_are_said(web, views):
    undated = sum(view.dataDate is None for view in MADE)
    to_come = sum(view.dataDate is not None and view.dataDate > TODAY for view in MADE)
    text = web.get(INICIO).text
    assert f"{undated} views came without a usable date" in text
    assert f"{shown(to_come)} views have a date to come" in text
    assert "since=2026-01-21&amp;until=2026-02-02" in text


def test_only_views_without_a_date_are_no_empty_table(web):
    MergedTelemetricOTT.objects.create(recordId=1, actionId=8, dataId=1)
    text = web.get(INICIO).text
    assert "No view that was merged so far has a date" in text
    assert "1 view came without a usable date" in text


def test_it_does_not_compare_with_a_time_before_the_first_view(web, views):
    answer = web.get(f"{INICIO}?days=all")
    assert 'class="change"' not in answer.text
    assert 'class="line"' not in answer.text


def test_the_day_that_is_not_over_is_not_compared_with_the_one_before(web, views):
    days = [each.day for each in web.get(INICIO).context["changes"]]
    assert days[-1] == TODAY - timedelta(days=1)
    only = web.get(f"{INICIO}?since={TODAY}&until={TODAY}").context["changes"]
    assert [each.day for each in only] == [TODAY]


def test_a_day_out_of_the_ordinary_is_marked(web, views):
    day = TODAY - timedelta(days=10)
    HourRollup.objects.update_or_create(day=day, hour=3, defaults={"views": 5_000, "seconds": 5_000})
    answer = web.get(INICIO)
    assert [each.day for each in answer.context["anomalies"].found] == [day]
    assert answer.text.count('class="odd-mark"') == 1


def test_spanish_is_complete_and_escapes_names(web, views):
    MergedTelemetricOTT.objects.filter(dataId=900).update(dataName="<script>alert(1)</script>")
    rollups.rebuild()
    text = web.get(f"{INICIO}?channels=50", headers={"accept-language": "es"}).text
    for word in ("Telemetría", "Reproducciones", "Horas punta", "Madrugada", "Canales más vistos", "De un día a otro"):
        assert word in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_only_get_is_answered(web):
    assert web.post(INICIO).status_code == 405
    assert Client(enforce_csrf_checks=True).post(INICIO).status_code in {302, 403}
