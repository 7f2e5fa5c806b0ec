# SPDX-License-Identifier: MIT
"""What `weft get` does with any server: a mixin for the test file of each peer.

A class with it and unittest.TestCase has `peer(folder, files, root)`, which starts the server.
"""
import functools
import hashlib
import http.client
import json
import os
import pathlib
import tempfile
import zlib

import weftlib

PAGE = "<!doctype html><title>page</title>" + "<p>the same again</p>\n" * 2000


def everyhow(test):
    """A test that is given each event loop, without TLS and with each backend: (arguments, scheme)."""
    @functools.wraps(test)
    def run(self):
        for words, arguments, scheme in weftlib.variants():
            with self.subTest(**words):
                test(self, arguments, scheme)
    return run


def needs(ability, why):
    """Skips a test, and says why, of a class without it."""
    def mark(test):
        @functools.wraps(test)
        def run(self):
            if not getattr(self, ability):
                self.skipTest(why)
            test(self)
        return run
    return mark


class Basics:
    """A server, a root of files, and `weft get` for them."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.folder.chmod(0o755)  # servers may give up root's rights
        cls.root, here = cls.folder / "root", cls.folder / "server"
        cls.root.mkdir()
        here.mkdir()
        here.chmod(0o777)
        cls.data = os.urandom(8 << 20)
        (cls.root / "data.bin").write_bytes(cls.data)
        (cls.root / "page.html").write_text(PAGE)
        cls.files = weftlib.Certificates(cls.folder)
        cls.server = cls.peer(here, cls.files, cls.root)
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def peer(cls, folder, files, root):
        """Starts the server."""
        raise NotImplementedError

    def get(self, *arguments, code=0, trust=True, **options):
        ca = ["--cacert", self.files.ca] if trust else []
        done = weftlib.weft("get", *ca, *arguments, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout!r} {done.stderr!r}")
        return done

    def report(self, *arguments, **options):
        """The figures of --json; the body is in self.body."""
        out = self.folder / "out"
        figures = json.loads(self.get("--json", "-o", out, *arguments, **options).stdout)
        self.body = out.read_bytes()
        return figures

    def fields(self, path):
        """Of the server's answer to somebody else."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.plain,
                                                timeout=weftlib.SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            return response.headers
        finally:
            connection.close()

    def conns(self, since, count):
        """On how many connections these requests came, as the server says."""
        requests = self.server.requests(since, count)
        self.assertEqual(len(requests), count)
        return len({r["conn"] for r in requests})


class Exchanges(Basics):
    """What works with every server."""
    keeps_alive = chunks = True
    gzips = ranges = etags = True

    @everyhow
    def test_many_requests_on_one_connection(self, arguments, scheme):
        mark = self.server.mark()
        report = self.report(*arguments, "--count", "40", self.server.url(scheme, "/page.html"))
        self.assertEqual((report["ok"], report["statuses"]), (40, {"200": 40}))
        self.assertEqual(self.body, PAGE.encode() * 40)
        conns = 1 if self.keeps_alive else 40
        self.assertEqual(report["conns_opened"], conns)
        self.assertEqual(self.conns(mark, 40), conns)

    @everyhow
    def test_several_connections_at_once(self, arguments, scheme):
        mark = self.server.mark()
        report = self.report(*arguments, "--count", "30", "--parallel", "6", "--max-conns", "3",
                             self.server.url(scheme, "/page.html"))
        self.assertEqual((report["ok"], report["bytes"]), (30, 30 * len(PAGE)))
        self.assertEqual(self.conns(mark, 30), report["conns_opened"])
        if self.keeps_alive:
            self.assertLessEqual(report["conns_opened"], 3)

    @everyhow
    def test_a_large_body(self, arguments, scheme):
        self.report(*arguments, self.server.url(scheme, "/data.bin"))
        self.assertEqual(hashlib.sha256(self.body).digest(), hashlib.sha256(self.data).digest())

    @needs("chunks", "HTTP/1.0 has no chunks")
    @everyhow
    def test_a_chunked_response(self, arguments, scheme):
        mark = self.server.mark()
        self.assertEqual(self.fields("/chunked")["transfer-encoding"], "chunked")
        mark += len(self.server.requests(mark, 1))
        report = self.report(*arguments, "--count", "3", self.server.url(scheme, "/chunked"))
        self.assertEqual(self.body, PAGE.encode() * 3)
        self.assertEqual((report["conns_opened"], self.conns(mark, 3)), (1, 1))

    @everyhow
    def test_an_upload_of_known_length(self, arguments, scheme):
        url = self.server.url(scheme, "/echo")
        self.report(*arguments, "--data-file", self.root / "data.bin", url)
        self.assertTrue(self.body == self.data)
        report = self.report(*arguments, "--data", "word", "--count", "5", url)
        self.assertEqual((report["statuses"], self.body), ({"200": 5}, b"word" * 5))

    @needs("chunks", "HTTP/1.0 has no chunks")
    @everyhow
    def test_an_upload_in_chunks(self, arguments, scheme):
        report = self.report(*arguments, "--data-file", "-", self.server.url(scheme, "/echo"),
                             stdin=None, input=self.data, text=False)
        self.assertTrue(self.body == self.data)
        self.assertEqual(report["statuses"], {"200": 1})

    @everyhow
    def test_a_body_that_is_asked_for(self, arguments, scheme):
        expect = ["--header", "Expect: 100-continue"]
        self.report(*arguments, *expect, "--data-file", self.root / "data.bin",
                    self.server.url(scheme, "/echo"))
        self.assertTrue(self.body == self.data)

    @everyhow
    def test_head(self, arguments, scheme):
        report = self.report(*arguments, "--method", "HEAD", "--count", "3",
                             self.server.url(scheme, "/data.bin"),
                             self.server.url(scheme, "/page.html"))
        self.assertEqual((report["statuses"], report["bytes"]), ({"200": 6}, 0))
        if self.keeps_alive:
            self.assertEqual(report["conns_opened"], 1)

    @everyhow
    def test_not_modified(self, arguments, scheme):
        name, condition = (("etag", "If-None-Match") if self.etags else
                           ("last-modified", "If-Modified-Since"))
        value = self.fields("/data.bin")[name]
        self.assertTrue(value)
        report = self.report(*arguments, "--count", "3", "--header", f"{condition}: {value}",
                             self.server.url(scheme, "/data.bin"))
        self.assertEqual((report["statuses"], report["bytes"]), ({"304": 3}, 0))
        self.assertEqual(report["conns_opened"], 1 if self.keeps_alive else 3)

    @everyhow
    def test_a_redirect_is_told_and_not_followed(self, arguments, scheme):
        mark = self.server.mark()
        report = self.report(*arguments, self.server.url(scheme, "/moved"))
        self.assertEqual((report["ok"], report["statuses"]), (1, {"302": 1}))
        self.assertEqual([r["path"] for r in self.server.requests(mark, 1)], ["/moved"])

    @needs("ranges", "this server has no ranges")
    @everyhow
    def test_a_range(self, arguments, scheme):
        report = self.report(*arguments, "--header", "Range: bytes=1000-1999",
                             self.server.url(scheme, "/data.bin"))
        self.assertEqual(report["statuses"], {"206": 1})
        self.assertEqual(self.body, self.data[1000:2000])

    @needs("gzips", "this server compresses nothing")
    @everyhow
    def test_a_coding_is_passed_through(self, arguments, scheme):
        report = self.report(*arguments, "--header", "Accept-Encoding: gzip",
                             self.server.url(scheme, "/page.html"))
        self.assertLess(report["bytes"], len(PAGE))
        self.assertEqual(zlib.decompress(self.body, 31), PAGE.encode())

    @everyhow
    def test_what_is_not_there(self, arguments, scheme):
        report = self.report(*arguments, self.server.url(scheme, "/none"),
                             self.server.url(scheme, "/page.html"))
        self.assertEqual(report["statuses"], {"404": 1, "200": 1})


class Tls(Basics):
    """What works with every server over TLS."""
    tells_alpn = True

    def test_an_unknown_issuer_is_noticed(self):
        for loop, backend in weftlib.pairs():
            done = self.get("--event", loop, "--tls", backend, self.server.url("https"), trust=False,
                            code=3)
            self.assertIn("certificate issuer is unknown", done.stderr)

    def test_the_best_version_is_agreed_on(self):
        for loop, backend in weftlib.pairs():
            mark = self.server.mark()
            self.get("--event", loop, "--tls", backend, self.server.url("https", "/page.html"))
            request, = self.server.requests(mark, 1)
            best = "TLSv1.3" if "tls1.3" in weftlib.caps("tls", backend) else "TLSv1.2"
            self.assertEqual(request["version"], best)

    @needs("tells_alpn", "this server does not log what was agreed on")
    def test_http_1_1_is_agreed_on(self):
        for loop, backend in weftlib.pairs():
            mark = self.server.mark()
            self.get("--event", loop, "--tls", backend, self.server.url("https", "/page.html"))
            request, = self.server.requests(mark, 1)
            self.assertEqual(request["alpn"], "http/1.1")

    def check_resumption(self, path):
        """Of a path behind which the server ends its connection."""
        for loop, backend in weftlib.pairs():
            if "resume" not in weftlib.caps("tls", backend):
                continue
            mark = self.server.mark()
            report = self.report("--event", loop, "--tls", backend, "--count", "6",
                                 self.server.url("https", path))
            self.assertEqual((report["ok"], report["handshakes_full"], report["handshakes_resumed"]),
                             (6, 1, 5), (loop, backend))
            told = [r["reused"] in ("r", "Resumed") for r in self.server.requests(mark, 6)]
            self.assertEqual(told, [False] + [True] * 5, (loop, backend))
