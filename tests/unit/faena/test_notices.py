"""Messages to a real mail server and a real receiver on this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone
from django.utils.translation import override

from faena import notices
from faena.errors import PermanentFailure
from faena.models import AlertRule, Incident
from faena.models.alert_rule import Condition
from faena.notices import NotDelivered, signature

pytestmark = pytest.mark.django_db


class Inbox:
    """A mail server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


@pytest.fixture
def inbox(settings) -> Iterator[Inbox]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield inbox
    server.stop()


class Receiver(HTTPServer):
    """Keeps the requests, and answers with `status`."""

    status = 204

    def __init__(self) -> None:
        self.requests: list = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?key=hunter2"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.requests.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def incident():
    def make(channel: str, target: str, **values) -> Incident:
        own = {"name": "Slow", "condition": "oldest_wait", "threshold": 60}
        rule = AlertRule.objects.create(channel=channel, target=target, **(own | values))
        return Incident.objects.create(rule=rule, started=timezone.now(), found={"value": 90, "names": ["docs"]})

    return make


def test_a_mail_reaches_everybody_in_the_language_of_the_site(inbox, incident, settings):
    settings.LANGUAGE_CODE = "es"
    opened = incident("mail", "ana@x.co, bea@x.co")
    assert notices.send(opened.rule_id, opened.pk, "opened") == "mail"
    to, mail = inbox.mails[0]
    assert to == ["ana@x.co", "bea@x.co"]
    assert str(make_header(decode_header(mail["Subject"]))) == "Faena: «Slow»"
    assert "Un trabajo lleva 90 s esperando. Cola: docs." in mail.get_payload(decode=True).decode()


def test_a_mail_server_that_is_away_is_tried_again(incident, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = 1
    opened = incident("mail", "ana@x.co")
    with pytest.raises(NotDelivered):
        notices.send(opened.rule_id, opened.pk, "opened")


def test_slack_gets_a_text(receiver, incident):
    opened = incident("slack", receiver.url)
    notices.send(opened.rule_id, opened.pk, "ended")
    body = json.loads(receiver.requests[0][1])
    assert body == {"text": "*Faena: “Slow” is over*\nA job has been waiting for 90 s. Queue: docs."}


def test_a_webhook_is_signed(receiver, incident):
    opened = incident("webhook", receiver.url, secret="hunter3")
    notices.send(opened.rule_id, opened.pk, "opened")
    headers, body = receiver.requests[0]
    assert headers["X-Faena-Event"] == "incident.opened"
    assert headers["X-Faena-Signature"] == f"sha256={signature('hunter3', headers['X-Faena-Timestamp'], body)}"
    event = json.loads(body)
    assert (event["event"], event["incident"], event["value"], event["names"]) == (
        "incident.opened",
        opened.pk,
        90,
        ["docs"],
    )


def test_a_test_needs_no_incident(receiver, incident):
    rule = incident("webhook", receiver.url).rule
    assert notices.send(rule.pk, None, "test") == "webhook"
    assert json.loads(receiver.requests[0][1])["event"] == "incident.test"
    assert "X-Faena-Signature" not in receiver.requests[0][0]


@pytest.mark.parametrize(("status", "error"), [(503, NotDelivered), (429, NotDelivered), (404, PermanentFailure)])
def test_what_a_receiver_answers_decides_whether_it_is_tried_again(receiver, incident, status, error):
    receiver.status = status
    opened = incident("webhook", receiver.url)
    with pytest.raises(error, match=str(status)) as raised:
        notices.send(opened.rule_id, opened.pk, "opened")
    assert "hunter2" not in str(raised.value)


def test_no_error_tells_the_address(incident):
    opened = incident("slack", "http://127.0.0.1:1/hunter2")
    with pytest.raises(NotDelivered) as raised:
        notices.send(opened.rule_id, opened.pk, "opened")
    assert "hunter2" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_a_rule_that_is_gone_tells_nobody():
    assert notices.send(4711, 1, "opened") == ""


@pytest.mark.parametrize("condition", list(Condition))
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_condition_has_its_sentence(condition, language):
    with override(language):
        said = notices.describe(condition, {"value": 12.5, "names": ["a", "b"]})
    assert "a, b" in said or ("12,5" if language == "es" else "12.5") in said
    assert "%%" not in said
