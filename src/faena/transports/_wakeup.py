"""A doorbell between processes: one UDP socket on the loopback interface, which Windows has too."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"


class Wakeup:
    """Wait until another process writes one byte, without polling.

    A lost or an extra datagram does no harm: whoever wakes looks into the file, and looks again every
    second in any case.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind((LOOPBACK, 0))
            self._socket.setblocking(False)
            self._selector.register(self._socket, selectors.EVENT_READ)
        except OSError:  # a sandbox without sockets: the caller polls the file instead
            self._drop_socket()

    @property
    def port(self) -> int | None:
        """The port others ring; None where sockets cannot be had."""
        return self._socket.getsockname()[1] if self._socket else None

    def fileno(self) -> int:
        """Return the descriptor an event loop may watch, or -1."""
        return self._socket.fileno() if self._socket else -1

    def ring(self, ports: Iterable[int]) -> None:
        """Wake the consumers that listen on these ports."""
        for port in ports:
            self._send(port)

    def ring_self(self) -> None:
        """Wake the thread that waits on this very socket."""
        if self._socket:
            self._send(self._socket.getsockname()[1])

    def answer(self) -> bool:
        """Take all pending rings; return whether there were any."""
        rung = False
        while self._socket:
            try:
                self._socket.recv(16)
                rung = True
            except ConnectionResetError:  # Windows: an earlier datagram found nobody
                continue
            except OSError:  # nothing left to read
                break
        return rung

    def wait(self, timeout: float) -> None:
        """Block until somebody rings, at most `timeout` seconds."""
        self._selector.select(timeout)

    def close(self) -> None:
        """Give the socket back."""
        self._selector.close()
        self._drop_socket()

    def __del__(self) -> None:
        self.close()

    def _send(self, port: int) -> None:
        if self._socket:
            try:
                self._socket.sendto(b"!", (LOOPBACK, port))
            except OSError:  # full buffer: that consumer has enough rings to wake up
                return

    def _drop_socket(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None
