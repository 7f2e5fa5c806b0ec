# SPDX-License-Identifier: MIT
"""HTTP/2 with other people's: nghttp, h2load, Python's h2 and node as clients of `weft serve`; nghttpd, nginx, h2o,
Python's h2 and node as servers of `weft get`."""
import json
import os
import pathlib
import re
import shutil
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import weftlib  # noqa: E402
from clients import PAGE, ClientCase, everywhere  # noqa: E402

if not {"h1", "h2"} <= set(weftlib.ROLES) or not weftlib.BACKENDS:
    weftlib.skip_all("a build without HTTP/2 or without TLS")

SYSTEM = "/usr/bin/python3"  # Debian's, which has Debian's h2
HAS_H2 = pathlib.Path(SYSTEM).exists() and not weftlib.run(SYSTEM, "-c", "import h2").returncode


@unittest.skipUnless(shutil.which("nghttp"), "no nghttp on this machine")
class Nghttp(ClientCase):
    def nghttp(self, *arguments, **options):
        return self.run_client("nghttp", "--timeout=30", *arguments, **options)

    @everywhere
    def test_get_and_head(self, server):
        done = self.nghttp(f"{server.url}/data.bin", text=False)
        self.assertTrue(done.stdout == self.data)
        done = self.nghttp("--verbose", "-H:method: HEAD", f"{server.url}/data.bin")
        self.assertIn(f"content-length: {len(self.data)}", done.stdout)
        self.assertNotIn("DATA frame", done.stdout)

    @everywhere
    def test_an_upload_with_trailers(self, server):
        body = self.root / "data.bin"
        for more in ([], ["--trailer", "x-sum: 1"], ["--padding=200"],
                     ["--no-content-length"]):
            done = self.nghttp("--data", body, *more, f"{server.url}/echo", text=False)
            self.assertTrue(done.stdout == self.data, more)

    @everywhere
    def test_small_windows_and_tables(self, server):
        for arguments in (["--window-bits=8", "--connection-window-bits=16"], ["--header-table-size=0"],
                          ["--weight=1"], ["-Hpriority: u=1, i"], ["--no-dep"]):
            done = self.nghttp(*arguments, f"{server.url}/data.bin", text=False)
            self.assertTrue(done.stdout == self.data, arguments)

    @everywhere
    def test_many_at_once_share_a_connection(self, server):
        done = self.nghttp("--multiply=50", "--null-out", "--stat", f"{server.url}/page.html",
                           f"{server.url}/bytes/100000")
        self.assertEqual(len(re.findall(r" 200 +\S+ +/(?:page.html|bytes/100000)", done.stdout)), 100,
                         done.stdout)
        self.assertGreaterEqual(weftlib.status(server)["counters"]["streams_per_conn_max"], 100)

    def test_an_upgrade_is_not_offered(self):
        with self.serve([], "http") as server:
            done = weftlib.run("nghttp", "--upgrade", "--timeout=10", f"{server.url}/page.html")
            self.assertIn("HTTP Upgrade failed", done.stdout + done.stderr)
            self.assertEqual(weftlib.status(server)["counters"]["streams_failed"], 0)


@unittest.skipUnless(shutil.which("h2load"), "no h2load on this machine")
class H2load(ClientCase):
    @everywhere
    def test_thousands(self, server):
        for path, count in (("/hello", 5000), ("/bytes/30000", 1000), ("/page.html", 1000)):
            done = self.run_client("h2load", f"-n{count}", "-c5", "-m50", f"{server.url}{path}")
            self.assertIn(f" {count} succeeded, 0 failed, 0 errored, 0 timeout", done.stdout)
            self.assertIn(f"status codes: {count} 2xx", done.stdout)
        self.assertEqual(weftlib.status(server)["counters"]["streams_failed"], 0)


@unittest.skipUnless(HAS_H2, "no h2 for Debian's Python")
class PythonClient(ClientCase):
    @everywhere
    def test_it_talks_with_the_server(self, server):
        done = self.run_client(SYSTEM, pathlib.Path(__file__).parent.parent / "support" / "h2_client.py",
                               server.port, "tls" if server.url.startswith("https") else "plain")
        report = json.loads(done.stdout)
        self.assertEqual(report, {
            "hello": "Hello, World\n", "echo": 200000, "big": 1000000, "head": [200, 0], "trailers": "abc",
            "together": [100000] * 50, "goaway": 0})


@unittest.skipUnless(peers.Node.program, "no node on this machine")
class NodeClient(ClientCase):
    @everywhere
    def test_it_talks_with_the_server(self, server):
        tls = server.url.startswith("https")
        done = self.run_client(peers.Node.program, pathlib.Path(__file__).parent.parent / "support" / "h2_client.js",
                               f"{'https' if tls else 'http'}://localhost:{server.port}",
                               *([self.files.ca] if tls else []))
        self.assertEqual(json.loads(done.stdout), {
            "alpn": "h2" if tls else "h2c", "hello": "Hello, World\n", "echo": 3000000, "head": [200, 0],
            "trailers": "abc", "together": [100000] * 100, "conn": [["h2", 105, 1]]})
        counters = weftlib.status(server)["counters"]
        self.assertEqual(counters["streams_failed"], 0)


class Servers:
    """`weft get` with a server that speaks HTTP/2, at ports without TLS and with it."""
    peer = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.peer.program:
            raise unittest.SkipTest(f"no {cls.__name__} on this machine")
        for path in (cls.folder, cls.root):
            path.chmod(0o755)
        (cls.root / "echo").write_text("")
        folder = cls.folder / "peer"
        folder.mkdir(mode=0o755)
        cls.server = cls.peer(folder, files=cls.files, root=cls.root, **cls.options())
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def options(cls):
        return {}

    def get(self, loop, tls, scheme, *arguments, path="/page.html", **options):
        return weftlib.weft("get", "--event", loop, "--tls", tls, "--cacert", self.files.ca, "--http", "2",
                            *arguments, self.server.url(scheme, path), **options)

    def all(self):
        return [(*pair, scheme) for pair in weftlib.pairs() for scheme in ("https", "http")]

    def test_bodies_come(self):
        for variant in self.all():
            self.assertEqual(self.get(*variant).stdout, PAGE)
            done = self.get(*variant, path="/data.bin", text=False)
            self.assertTrue(done.stdout == self.data, done.stderr)
            self.assertEqual(self.get(*variant, "--method", "HEAD").stdout, "")

    def test_a_hundred_at_once_share_a_connection(self):
        for variant in self.all():
            done = self.get(*variant, "--json", "--count", "100", "--parallel", "100")
            report = json.loads(done.stdout)
            self.assertEqual((report["ok"], report["protocol"], report["conns_opened"], report["streams_peak"]),
                             (100, "h2", 1, 100), report)

    def test_more_than_it_takes_at_once(self):
        for variant in self.all():
            done = self.get(*variant, "--json", "--count", "1000", "--parallel", "500")
            report = json.loads(done.stdout)
            self.assertEqual((report["ok"], report["conns_opened"]), (1000, 1), report)

    def test_bodies_go(self):
        for variant in self.all():
            done = self.get(*variant, "--data-file", self.root / "data.bin", path="/echo", text=False)
            self.assertTrue(done.stdout == self.data, done.stderr)


class Nghttpd(Servers, ClientCase):
    peer = peers.Nghttpd


class Behind(Servers):
    """One that does not send bodies back itself."""

    @classmethod
    def options(cls):
        """Bodies are sent back by a server behind it."""
        folder = cls.folder / "behind"
        folder.mkdir(mode=0o755)
        behind = peers.Python(folder, files=cls.files, root=cls.root)
        cls.addClassCleanup(behind.stop)
        return {"echo": f"http://127.0.0.1:{behind.plain}"}


class Nginx(Behind, ClientCase):
    peer = peers.NginxH2


class H2o(Behind, ClientCase):
    peer = peers.H2o


class PythonH2(peers.Peer):
    """tests/support/servers/h2_server.py"""
    program = HAS_H2

    def command(self, plain, tls):
        o = self.options
        return [SYSTEM, peers.SCRIPTS / "h2_server.py", plain, tls, o["files"].cert, o["files"].key, self.log]


class PythonServer(Servers, ClientCase):
    peer = PythonH2

    def test_bodies_come(self):
        for variant in self.all():
            self.assertEqual(self.get(*variant, path="/a/path?query").stdout, "/a/path?query")
            self.assertEqual(len(self.get(*variant, path="/bytes/1000000").stdout), 1000000)

    def test_what_is_special(self):
        for variant in self.all():
            self.assertEqual(self.get(*variant, path="/trailers").stdout, "/trailers")
            self.assertEqual(self.get(*variant, path="/early").stdout, "/early")
            done = self.get(*variant, path="/reset")
            self.assertEqual(done.returncode, 1)
            self.assertIn("the server reset the stream (INTERNAL_ERROR)", done.stderr)


class NodeH2(peers.Node):
    """tests/support/servers/h2_server.js"""

    def command(self, plain, tls):
        o = self.options
        return [self.program, peers.SCRIPTS / "h2_server.js", plain, tls, o["files"].cert, o["files"].key,
                o["root"], self.log]


class NodeServer(Servers, ClientCase):
    peer = NodeH2

    def test_what_is_special(self):
        for variant in self.all():
            self.assertEqual(self.get(*variant, path="/trailers").stdout, "with trailers")
            self.assertEqual(self.get(*variant, path="/early").stdout, "late")
            done = self.get(*variant, path="/reset")
            self.assertEqual(done.returncode, 1)
            self.assertIn("the server reset the stream (INTERNAL_ERROR)", done.stderr)

    def test_what_a_goodbye_left_out_is_asked_again(self):
        for variant in self.all():
            mark = self.server.mark()
            done = self.get(*variant, "--explain", "--json", "--count", "5", "--parallel", "5", path="/away")
            report = json.loads(done.stdout)
            self.assertEqual((report["ok"], report["statuses"], report["conns_opened"]), (5, {"200": 5}, 2), report)
            conns = [r["conn"] for r in self.server.requests(mark, 9)]
            self.assertEqual((len(set(conns[:5])), len(set(conns[5:])), len(conns)), (1, 1, 9), conns)
            again = "queued again: on connection 1 the peer said that it did not process it, and goes away"
            self.assertEqual(done.stderr.count(again), 4, done.stderr)
            for stream in (1, 3, 5, 7, 9):
                self.assertRegex(done.stderr, rf"ms: joined as h2 stream {stream}\n")
            self.assertIn("tried again: 4;", done.stderr)


if __name__ == "__main__":
    weftlib.main()
