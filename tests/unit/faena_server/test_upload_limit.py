from __future__ import annotations

import asyncio

import pytest

from faena_server.upload_limit import UploadLimit


async def reads_all(scope, receive, send):
    """An application that stores the body and says how much it got."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(body)).encode()})


def ask(chunks: list[bytes], **headers: bytes) -> tuple[int, bytes]:
    left, sent = list(chunks), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(name.replace("_", "-").encode(), value) for name, value in headers.items()]}
    asyncio.run(UploadLimit(reads_all, most=10)(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], sent[1]["body"]


def test_a_body_within_the_limit_passes():
    assert ask([b"12345", b"67890"], content_length=b"10") == (200, b"10")
    assert ask([b"12345", b"67890"]) == (200, b"10")


@pytest.mark.parametrize("length", [b"11", b"-1", b"many"])
def test_an_announced_body_that_is_too_large_is_not_read(length):
    status, why = ask([], content_length=length)
    assert status == 413
    assert b"larger" in why


def test_a_body_that_grows_too_large_is_cut_off():
    assert ask([b"12345", b"67890", b"x", b"y"])[0] == 413
