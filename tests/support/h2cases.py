# SPDX-License-Identifier: MIT
"""A base for tests of what a hostile HTTP/2 client gets from `weft serve`, and what it costs."""
import contextlib
import json
import pathlib
import re
import time

import h2frames
import weftlib
from cases import FolderCase

MEMORY_MAX = 8 << 20  # what an attack may cost
GUEST_SECONDS = 20    # within which anybody else is served meanwhile


class HostileCase(FolderCase):
    """One server, one client who attacks it, and a guest who wants to be served meanwhile."""

    ARGUMENTS = ()
    LISTEN = "http://127.0.0.1:0"

    def setUp(self):
        super().setUp()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.server = stack.enter_context(weftlib.serve(*self.ARGUMENTS, listen=[self.LISTEN]))
        self.peers = []
        stack.callback(self.close_all)
        self.guest, self.guest_stream = self.connect(), 1
        self.guest.send(h2frames.window(0, 1 << 30))
        self.be_served()

    def close_all(self):
        """A server that ends waits for its peers to close."""
        while self.peers:
            self.peers.pop().close()

    def connect(self, **options):
        tls = weftlib.unverified() if self.LISTEN.startswith("https") else None
        self.peers.append(h2frames.Peer(self.server.port, tls=tls, **options))
        return self.peers[-1]

    def head(self, stream, **head):
        """A request's HEADERS, whole."""
        if self.LISTEN.startswith("https"):
            head.setdefault("scheme", "https")
        return h2frames.headers(stream, **head)

    def be_served(self):
        begun = time.monotonic()
        self.guest.send(self.head(self.guest_stream))
        self.assertEqual(self.guest.expect_status(self.guest_stream), 200)
        self.assertEqual(self.guest.body(self.guest_stream), b"Hello, World\n")
        self.assertLess(time.monotonic() - begun, GUEST_SECONDS)
        self.guest_stream += 2

    def counters(self):
        self.guest.send(self.head(self.guest_stream, path="/status"))
        status = json.loads(self.guest.body(self.guest_stream))
        self.guest_stream += 2
        return status["counters"]

    def memory(self, reset=False):
        """The most that the process has had in memory, in bytes; since the last reset."""
        proc = pathlib.Path(f"/proc/{self.server.process.pid}")
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", (proc / "status").read_text())[1]) << 10
        if reset:
            (proc / "clear_refs").write_text("5")
        return peak

    @contextlib.contextmanager
    def attack(self, counted=None, **options):
        """A peer to attack with. Costs little memory, is counted under this name, and others are served."""
        before = self.counters()
        self.memory(reset=True)
        now = self.memory()
        peer = self.connect(**options)
        yield peer
        self.be_served()
        after = self.counters()
        if counted:
            self.assertGreater(after[counted], before[counted], counted)
        if not weftlib.SANITIZED:
            self.cost = self.memory() - now
            self.assertLessEqual(self.cost, MEMORY_MAX)

    def flood(self, peer, pieces, read=True):
        """The pieces, and the guest is served in their midst."""
        pieces = list(pieces)
        half = len(pieces) // 2
        took = peer.flood(pieces[:half], read)
        self.be_served()
        return took and peer.flood(pieces[half:], read)

    def check_bodies_that_are_not_read(self):
        """A hundred, whose windows are open, behind a socket that is not."""
        with self.attack(small=True, window=0x7fffffff) as peer:
            peer.send(h2frames.window(0, 0x7fff0000 - 65535),
                      *[self.head(n, path="/bytes/10000000") for n in range(1, 200, 2)])
            for _ in range(20):
                self.be_served()
                time.sleep(0.02)
