"""A wire that can be cut: a TCP proxy in front of a database or a broker."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Proxy:
    """Passes bytes on in both directions until it is `cut` or `stall`ed, and again once it is `heal`ed.

    With `tls` callers speak TLS, the target does not.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = port
        self._tls = tls
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)
        self._thread.start()
        self.port = self._do(self._open())

    def cut(self) -> None:
        """Reset all connections, and every new one."""
        self._call(self._cut)

    def stall(self) -> None:
        """Pass nothing on any more, and close nothing: as when a cable is pulled (half-open connections)."""
        self._call(self._flowing.clear)

    def heal(self) -> None:
        """Pass on what waits, and let connections be made."""
        self._call(self._heal)

    def close(self) -> None:
        """Reset everything for good."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> int:
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0, ssl=self._tls)
        return self._server.sockets[0].getsockname()[1]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            if self._is_cut:
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            try:
                ways = self._pass_on(reader, far_writer), self._pass_on(far_reader, writer)
                await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._drop(far_writer)
        except OSError:
            return  # nobody there: the caller's connection is reset
        finally:
            self._drop(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            return

    async def _close(self) -> None:
        self._server.close()
        self._cut()
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        if under_way:
            await asyncio.wait(under_way, timeout=5)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()

    def _cut(self) -> None:
        self._is_cut = True
        self._flowing.set()
        for writer in list(self._writers):
            self._drop(writer)

    def _heal(self) -> None:
        self._is_cut = False
        self._flowing.set()

    def _call(self, act: Callable[[], object]) -> None:
        async def do() -> None:
            act()

        self._do(do())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)
