"""A TCP proxy that lets every request through and, when told to, cuts the connection instead of the reply."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class CuttingProxy:
    """Listens on ``port`` of the loopback and forwards to ``target_port``; one pair of threads per connection."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        """Replies that were cut so far."""
        self._to_cut = 0
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def cut_next(self) -> None:
        """The next reply, on whatever connection, is received from the server and never delivered."""
        with self._lock:
            self._to_cut += 1

    def switch(self, target_port: int) -> None:
        """Cut all connections; those to come go to another server, as after a failover."""
        self._target = ("127.0.0.1", target_port)
        with self._lock:
            cut, self._open = self._open, []
        for end in cut:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                with self._lock:
                    self._open += [client, server]
                threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_reply and self._takes_a_cut():
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _takes_a_cut(self) -> bool:
        with self._lock:
            if self._to_cut == 0:
                return False
            self._to_cut -= 1
            self.cuts += 1
            return True
