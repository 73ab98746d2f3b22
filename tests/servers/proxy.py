"""A proxy between a store and its server, on a socket in a folder, that loses replies when it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class Proxy:
    """Passes everything on, but for the reply to the next request after ``lose_reply``: that connection is cut."""

    def __init__(self, path: Path, server: Path) -> None:
        self._server = server
        self._losing = threading.Event()
        self.lost = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_reply(self) -> None:
        self._losing.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                for source, sink, is_reply in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass_on, args=(source, sink, is_reply), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with source, contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if is_reply and self._losing.is_set():
                    self._losing.clear()
                    self.lost += 1
                    break
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_RDWR)
