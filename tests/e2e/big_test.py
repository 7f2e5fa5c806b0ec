# SPDX-License-Identifier: MIT
"""More than fits into memory, through peers that are slower than `weft serve`."""
import hashlib
import http.client
import os
import re
import select
import socket
import ssl
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

MIB = 1 << 20
DOWN = (64 if weftlib.SANITIZED else 1024) * MIB
UP = (64 if weftlib.SANITIZED else 256) * MIB
GROWTH = (64 if weftlib.SANITIZED else 8) * MIB  # of the process, its libraries included
HEAP = 2 * MIB                                   # of Weft's own, ever
BLOCK = 16384                                    # /bytes repeats itself

if not os.path.exists("/proc/self/status"):
    weftlib.skip_all("this system does not tell how much memory a process has used")


def high_water(server):
    """The most memory that the process has ever used."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) << 10


class Case(unittest.TestCase):
    def start(self, loop, backend):
        arguments, scheme = ["--event", loop], "http"
        if backend:
            arguments += ["--tls", backend, "--self-signed"]
            scheme = "https"
        # what a sanitizer keeps of freed memory would be counted
        small = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        return weftlib.serve(*arguments, listen=[f"{scheme}://127.0.0.1:0"],
                             env=os.environ | {"ASAN_OPTIONS": small.lstrip(":")})

    def connect(self, server):
        sock = socket.create_connection(("127.0.0.1", server.port), weftlib.SECONDS)
        if server.url.startswith("https"):
            sock = weftlib.unverified().wrap_socket(sock)
        self.addCleanup(sock.close)
        return sock

    def warm_up(self, server):
        """What a process needs only once is no growth."""
        sock = self.connect(server)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        response = http.client.HTTPResponse(sock)
        response.begin()
        for _ in range(10):
            sock.sendall(b"x" * 20000)
            response.read(20000)
        sock.close()

    def assert_bounded(self, server, before):
        self.assertLess(high_water(server) - before, GROWTH)
        self.assertLess(weftlib.status(server)["counters"]["heap_peak"], HEAP)


class Download(Case):
    def through(self, loop, backend):
        with self.start(loop, backend) as server:
            self.warm_up(server)
            before = high_water(server)
            sock = self.connect(server)
            sock.sendall(f"GET /bytes/{DOWN} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            response = http.client.HTTPResponse(sock)
            response.begin()
            self.assertEqual(response.headers["content-length"], str(DOWN))
            self.read_slowly(response)
            self.assert_bounded(server, before)
            sock.close()

    def read_slowly(self, response):
        piece = bytearray(MIB)
        want = None
        for at in range(0, DOWN, MIB):
            view = memoryview(piece)
            while view:
                n = response.readinto(view)
                self.assertTrue(n, f"ended behind {at + MIB - len(view)} bytes")
                view = view[n:]
            want = want or bytes(piece[:BLOCK]) * (MIB // BLOCK)
            self.assertTrue(piece == want, f"something else from byte {at} on")
            if at % (16 * MIB) == 0:
                time.sleep(0.02)  # this reader is slow: the server's buffers are full by now
        self.assertEqual(response.read(), b"")

    def test_over_http(self):
        self.through(weftlib.LOOPS[0], None)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_over_the_first_tls_backend(self):
        self.through(weftlib.LOOPS[-1], weftlib.BACKENDS[0])

    @unittest.skipUnless(len(weftlib.BACKENDS) > 1, "a build with one TLS backend at most")
    def test_over_the_second_tls_backend(self):
        self.through(weftlib.LOOPS[0], weftlib.BACKENDS[1])


class Upload(Case):
    """To /echo, from one who sends all the time and reads nothing until the server takes no more."""

    def through(self, loop, backend):
        with self.start(loop, backend) as server:
            self.warm_up(server)
            before = high_water(server)
            sock = self.connect(server)
            sock.sendall(f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {UP}\r\n\r\n".encode())
            sock.setblocking(False)
            self.sock, self.sent, self.out = sock, hashlib.sha256(), b""
            self.left_to_send, self.block = UP, os.urandom(MIB)
            while self.send():
                pass
            self.assertGreater(self.left_to_send, UP // 4, "the server has read on and on")
            self.assert_bounded(server, before)
            self.assertEqual(self.receive(), self.sent.digest())
            self.assert_bounded(server, before)
            sock.close()

    def send(self, seconds=1):
        """Some of the body. False: it is not taken for now, or there is no more."""
        if not self.left_to_send or not select.select([], [self.sock], [], seconds)[1]:
            return False
        if not self.out:
            self.out = memoryview(self.block)[:self.left_to_send]
        try:
            n = self.sock.send(self.out)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return bool(seconds)  # a record that has no room yet
        self.sent.update(self.out[:n])
        self.out = self.out[n:]
        self.left_to_send -= n
        return True

    def receive(self):
        """All that comes back, while the rest is sent: its digest."""
        got, head, left = hashlib.sha256(), b"", UP
        while left:
            self.send(0)
            data = self.receive_some()
            if b"\r\n\r\n" not in head:
                head += data
                self.assertRegex(head[:12], b"^HTTP/1.1 200|^.{0,11}$")
                data = head.partition(b"\r\n\r\n")[2]
            got.update(data)
            left -= len(data)
        return got.digest()

    def receive_some(self):
        pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        if not pending:
            writers = [self.sock] if self.left_to_send else []
            ready = select.select([self.sock], writers, [], weftlib.SECONDS)
            self.assertTrue(ready[0] or ready[1], "neither reads nor writes")
            if not ready[0]:
                return b""
        try:
            data = self.sock.recv(MIB)
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        self.assertTrue(data, "the end, too early")
        return data

    def test_over_http(self):
        self.through(weftlib.LOOPS[-1], None)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_over_the_first_tls_backend(self):
        self.through(weftlib.LOOPS[0], weftlib.BACKENDS[0])

    @unittest.skipUnless(len(weftlib.BACKENDS) > 1, "a build with one TLS backend at most")
    def test_over_the_second_tls_backend(self):
        self.through(weftlib.LOOPS[-1], weftlib.BACKENDS[1])


if __name__ == "__main__":
    weftlib.main()
