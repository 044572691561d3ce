"""A small real SMTP server with a committed ledger: what it has taken is on disk before it says so."""

from __future__ import annotations

import random
import socketserver
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from pathlib import Path

KEY_HEADER = "Idempotency-Key"


class FakeSmtp:
    """`takes_keys`: a mail whose key is known is answered as before and not delivered again."""

    def __init__(self, folder: Path, *, takes_keys: bool = False, pause: float = 0.0) -> None:
        self.path, self.takes_keys, self.pause = folder / "ledger.sqlite", takes_keys, pause
        self.lock = threading.Lock()
        with self._ledger() as ledger:
            ledger.execute("CREATE TABLE taken (recipient TEXT, message_id TEXT, key TEXT)")
        self.replays = 0
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                fake.talk(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=0"

    def delivered(self) -> Counter[str]:
        """How often each recipient has a mail."""
        with self._ledger() as ledger:
            return Counter(row[0] for row in ledger.execute("SELECT recipient FROM taken"))

    @contextmanager
    def _ledger(self) -> Iterator[sqlite3.Connection]:
        """Committed and closed at the end."""
        with closing(sqlite3.connect(self.path, timeout=30)) as ledger, ledger:
            yield ledger

    def talk(self, handler: socketserver.StreamRequestHandler) -> None:
        """One connection; whoever hangs up in the middle is forgotten."""
        recipient = ""

        def say(text: str) -> None:
            handler.wfile.write(f"{text}\r\n".encode())

        try:
            say("220 fake")
            while line := handler.rfile.readline():
                verb = line[:4].upper().decode("ascii", "replace").strip()
                if verb == "RCPT":
                    recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                if verb == "DATA":
                    say("354 go on")
                    if self.take(recipient, handler):
                        say("250 taken")
                    continue
                say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return
        except (ConnectionError, BrokenPipeError):
            return

    def take(self, recipient: str, handler: socketserver.StreamRequestHandler) -> bool:
        lines = []
        while (line := handler.rfile.readline()) != b".\r\n":
            if not line:
                return False  # hung up before the end: not taken
            lines.append(line)
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        time.sleep(random.uniform(0, self.pause))
        with self.lock, self._ledger() as ledger:
            key = str(mail.get(KEY_HEADER, ""))
            known = ledger.execute("SELECT 1 FROM taken WHERE key = ?", [key]).fetchone()
            if key and self.takes_keys and known:
                self.replays += 1
            else:
                ledger.execute(
                    "INSERT INTO taken VALUES (?, ?, ?)", [recipient, str(mail["Message-ID"]), key]
                )
        time.sleep(random.uniform(0, self.pause))
        return True
