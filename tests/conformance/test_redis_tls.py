"""``rediss://`` with a password: a proxy speaks TLS for a redis-server that cannot."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from kombu import Connection, Queue
from kombu.exceptions import OperationalError

from tests.support.proxy import Proxy

from .conftest import until
from .test_celery import POOLS, Broker, Plain

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
PASSWORD = "s3cret/&"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "certificate.pem"


@pytest.fixture
def url(redis_port, certificate) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    proxy = Proxy(redis_port, context)
    with redis.Redis(port=redis_port) as client:
        client.flushall()
        client.config_set("requirepass", PASSWORD)
        try:
            yield f"rediss://:{quote(PASSWORD, safe='')}@localhost:{proxy.port}/0"
        finally:
            client.config_set("requirepass", "")
            proxy.close()


def trusting(url: str, certificate: Path) -> str:
    return f"{url}?ssl_cert_reqs=required&ssl_ca_certs={quote(str(certificate))}"


def test_a_waiting_consumer_is_woken_through_tls(url, certificate):
    got: list[object] = []
    done = threading.Event()

    def receive(body: object, message) -> None:
        got.append(body)
        message.ack()

    def consume(connection: Connection) -> None:
        with connection.Consumer([Queue("a")], callbacks=[receive], prefetch_count=4):
            while not done.is_set():
                try:
                    connection.drain_events(timeout=0.2)
                except TimeoutError:
                    continue

    with Connection(trusting(url, certificate)) as consuming, Connection(trusting(url, certificate)) as sending:
        consuming.connect()
        thread = threading.Thread(target=consume, args=(consuming,))
        thread.start()
        try:
            feed = consuming.transport.feed
            until(lambda: feed._doorbell is not None)
            for number in range(300):
                sending.Producer().publish({"número": number}, routing_key="a")
            until(lambda: len(got) == 300)
            assert got == [{"número": number} for number in range(300)]
            assert not feed._no_tracking and not feed._failing
            until(lambda: sending.default_channel.client.hlen("unacked") == 0)
        finally:
            done.set()
            thread.join()


def test_a_certificate_of_somebody_else_is_refused(url):
    refused = pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED")
    with Connection(f"{url}?ssl_cert_reqs=required") as connection, refused:
        connection.ensure_connection(max_retries=1)


def test_a_prefork_worker_works_through_tls(url, certificate, tmp_path):
    plain = Plain(Broker("redis", trusting(url, certificate)), tmp_path)
    try:
        _, log = plain.start("w", *POOLS["prefork"])
        out = tmp_path / "lines"
        plain.send("pass_on", *[(str(out), str(number)) for number in range(8)])
        until(lambda: out.exists() and len(out.read_text().split()) == 8)
        assert "pong" in plain.run("inspect", "-t", "5", "ping")
        assert PASSWORD not in log.read_text()
    finally:
        for worker in plain.workers:
            worker.kill()
            worker.wait()
