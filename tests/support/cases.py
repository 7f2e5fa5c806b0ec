# SPDX-License-Identifier: MIT
"""Bases for tests of the weft command: a folder, `weft get`, `weft serve`, and peers for both."""
import contextlib
import functools
import http.client
import json
import pathlib
import re
import socket
import tempfile
import threading
import unittest

import weftlib


class FolderCase(unittest.TestCase):
    """Each test with an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class GetCase(FolderCase):
    """What `weft get` says and how it ends."""

    def refused_url(self):
        """Of a port that is taken and not listened at."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}/"

    def get(self, *arguments, code=0, **options):
        done = weftlib.weft("get", *arguments, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def report(self, *arguments, code=0, **options):
        """The figures of --json, which are all that standard output has."""
        done = self.get("--json", *arguments, code=code, **options)
        self.assertEqual(done.stdout.count("\n"), 1, done.stdout)
        return json.loads(done.stdout)


class Peer(threading.Thread):
    """A server for one request: keeps what it got in .head and .body, and answers with these bytes,
    after hold()."""

    def __init__(self, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", hang_up=False,
                 hold=None):
        super().__init__(daemon=True)
        self.answer, self.hang_up, self.hold = answer, hang_up, hold
        self.head = self.body = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.start()

    def run(self):
        self.listener.settimeout(weftlib.SECONDS)
        sock, _ = self.listener.accept()
        self.listener.close()
        sock.settimeout(weftlib.SECONDS)
        with sock, sock.makefile("rb") as read:
            self.head = b"".join(iter(read.readline, b"\r\n")).decode()
            self.body = self.read_body(read)
            if self.hold:
                self.hold()
            sock.sendall(self.answer)
            if not self.hang_up:
                read.read()

    def read_body(self, read):
        length = re.search(r"content-length: (\d+)", self.head, re.I)
        if length:
            return read.read(int(length[1]))
        body = b""
        if "chunked" in self.head:
            while size := int(read.readline(), 16):
                body += read.read(size)
                read.readline()
            read.readline()
        return body

    def finish(self):
        self.join(weftlib.SECONDS)
        return self


class ServeCase(FolderCase):
    """`weft serve` and plain sockets that talk to it."""

    def setUp(self):
        super().setUp()
        self.socks = []
        self.addCleanup(self.close_all)

    def close_all(self):
        """A server that ends waits for its peers to close."""
        while self.socks:
            self.socks.pop().close()

    @contextlib.contextmanager
    def serve(self, *arguments, **options):
        with weftlib.serve(*arguments, **options) as server:
            try:
                yield server
            finally:
                self.close_all()

    def connect(self, server, url=None):
        """A connected socket; over TLS where the URL says so."""
        url = url or server.url
        if url.startswith("unix:"):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(weftlib.SECONDS)
            sock.connect(url.removeprefix("unix:"))
        else:
            host, _, port = url.partition("://")[2].rpartition(":")
            sock = socket.create_connection((host.strip("[]"), int(port)), weftlib.SECONDS)
        if url.startswith("https"):
            sock = weftlib.unverified().wrap_socket(sock)
        self.socks.append(sock)
        return sock

    def ask(self, sock, method="GET", target="/hello", fields="", body=b""):
        """Sends a request, and returns (status, fields, body) of its response."""
        sock.sendall(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode() + body)
        return self.response(sock, method)

    def response(self, sock, method="GET"):
        response = http.client.HTTPResponse(sock, method=method)
        response.begin()
        return response.status, response.headers, response.read()


def variants():
    """(words, arguments, listeners) of `weft serve` for each loop, without TLS and with each backend."""
    for words, arguments, scheme in weftlib.variants():
        own = ["--self-signed"] if scheme == "https" else []
        yield words, arguments + own, [f"{scheme}://127.0.0.1:0"]


def everywhere(test):
    """A test that is given a server of each variant."""
    @functools.wraps(test)
    def run(self):
        for words, arguments, listen in variants():
            with self.subTest(**words), self.serve(*arguments, listen=listen) as server:
                test(self, server)
    return run
