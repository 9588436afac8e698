"""One connection to Redis that is kept, and the doorbell Redis rings on."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import redis

from faena.transports._redis_scripts import Script

#: What means that Redis cannot be reached, or does not do what it should.
FAILURES = (redis.RedisError, OSError)

INVALIDATIONS = "__redis__:invalidate"


class Link:
    """A connection that is made when needed, and made again after any failure.

    Threads take turns. In a forked child it starts anew and leaves the parent's socket alone.
    """

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self._lock = threading.RLock()
        self._connection: Any = None
        self._pid = os.getpid()

    def call(self, *arguments: Any) -> Any:
        """Send one command and return the reply.

        Raises:
            redis.RedisError: no connection, no reply in time, or Redis refused.
        """
        return self.pipeline([arguments])[0]

    def pipeline(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send commands at once; return the replies, or raise the first refusal after reading them all."""
        with self._lock:
            connection = self._open()
            try:
                if len(commands) == 1:
                    packed = connection.pack_command(*commands[0])
                else:
                    packed = connection.pack_commands(commands)
                connection.send_packed_command(packed, check_health=False)
                replies = [_reply(connection) for _ in commands]
            except BaseException:  # also a signal handler's: the next reply would be taken for another's
                self.close()
                raise
        for reply in replies:
            if isinstance(reply, redis.ResponseError):
                raise reply
        return replies

    def script(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script, and send its text first if this Redis does not have it yet."""
        try:
            return self.call("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            return self.call("EVAL", script.text, len(keys), *keys, *arguments)

    def close(self) -> None:
        """Give the connection up; the next call makes another."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                with suppress(*FAILURES):
                    connection.disconnect()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None and self._pid == os.getpid()

    def _open(self) -> Any:
        if not self.is_open:
            if self._pid != os.getpid():
                self._lock = threading.RLock()  # another thread of the parent may have held it
                self._pid = os.getpid()
            self._connection = None
            self._connection = connect(self.pool)
        return self._connection


def connect(pool: Any) -> Any:
    """Return a new connection, made as the pool makes them but not one of the pool's."""
    connection = pool.connection_class(**pool.connection_kwargs)
    connection.connect()
    return connection


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as refusal:
        return refusal


class Doorbell:
    """A connection on which Redis says that a list has changed, whoever changed it.

    Redis' client tracking: after a command has read keys over `link`, the first change of any of them is
    announced here, once. Nothing has to be polled, and producers need not know of it.
    """

    def __init__(self, link: Link) -> None:
        self._connection = connect(link.pool)
        try:
            number = self._ask("CLIENT", "ID")
            self._connection.send_command("SUBSCRIBE", INVALIDATIONS)
            self._socket: socket.socket = self._connection._sock
            self._socket.recv(1)  # Redis has subscribed us; whatever else comes is a ring
            link.call("CLIENT", "TRACKING", "ON", "REDIRECT", number, "NOLOOP")
            self._socket.setblocking(False)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when Redis rings."""
        return self._socket.fileno()

    def answer(self) -> None:
        """Take all rings.

        Raises:
            redis.ConnectionError: Redis has hung up.
        """
        try:
            while self._socket.recv(65536):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        raise redis.ConnectionError("Redis closed the connection")

    def close(self) -> None:
        """Hang up."""
        with suppress(*FAILURES):
            self._connection.disconnect()

    def _ask(self, *arguments: Any) -> Any:
        self._connection.send_command(*arguments)
        return self._connection.read_response()


class Bell:
    """Wakes this process's own consuming thread."""

    def __init__(self) -> None:
        self._out, self._in = socket.socketpair()
        self._out.setblocking(False)
        self._in.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when somebody rings."""
        return self._out.fileno()

    def ring(self) -> None:
        """Ring; any thread may."""
        with suppress(OSError):  # full: it has rung enough; closed: nobody listens
            self._in.send(b"!")

    def answer(self) -> None:
        """Take all rings."""
        with suppress(OSError):
            while self._out.recv(1024):
                pass

    def close(self) -> None:
        """Give the sockets back."""
        self._out.close()
        self._in.close()

    def __del__(self) -> None:
        self.close()
