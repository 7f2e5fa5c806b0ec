# SPDX-License-Identifier: MIT
"""`weft get` against nginx, and nginx as a proxy before `weft serve`."""
import contextlib
import http.client
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cases  # noqa: E402
import peers  # noqa: E402
import scenarios  # noqa: E402
import weftlib  # noqa: E402

if not peers.Nginx.program:
    weftlib.skip_all("no nginx on this machine")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")


class Nginx:
    @classmethod
    def peer(cls, folder, files, root, **options):
        # one that reads a body to its end before it answers: nginx stops reading what comes back
        # early while it still has to write
        behind = folder / "behind"
        behind.mkdir()
        echo = peers.Python(behind, files=files, root=root)
        cls.addClassCleanup(echo.stop)
        return peers.Nginx(folder, files=files, root=root, echo=f"http://127.0.0.1:{echo.plain}",
                           **options)


class Exchanges(Nginx, scenarios.Exchanges, unittest.TestCase):
    pass


class Tls(Nginx, scenarios.Tls, unittest.TestCase):
    @classmethod
    def peer(cls, folder, files, root):
        # each connection is for one request
        return super().peer(folder, files, root, extra="keepalive_timeout 0;")

    def test_sessions_are_resumed(self):
        self.check_resumption("/page.html")

    def test_without_tickets_none_is(self):
        for loop, backend in weftlib.pairs():
            mark = self.server.mark()
            self.report("--event", loop, "--tls", backend, "--count", "3", "--no-tickets",
                        self.server.url("https", "/page.html"))
            self.assertEqual([r["reused"] for r in self.server.requests(mark, 3)], ["."] * 3)


class ClientCertificates(Nginx, scenarios.Basics, unittest.TestCase):
    @classmethod
    def peer(cls, folder, files, root):
        return super().peer(folder, files, root, extra=f"""
            ssl_client_certificate {files.ca};
            ssl_verify_client on;""")

    def test_who_shows_one_is_known(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        for loop, backend in weftlib.pairs():
            mark = self.server.mark()
            report = self.report("--event", loop, "--tls", backend, "--cert", cert, "--key", key,
                                 self.server.url("https", "/page.html"))
            self.assertEqual(report["statuses"], {"200": 1}, (loop, backend))
            request, = self.server.requests(mark, 1)
            self.assertEqual((request["client"], request["verify"]), ("CN=visitor", "SUCCESS"))

    def test_who_shows_none_is_told_so(self):
        for loop, backend in weftlib.pairs():
            report = self.report("--event", loop, "--tls", backend,
                                 self.server.url("https", "/page.html"))
            self.assertEqual(report["statuses"], {"400": 1}, (loop, backend))


class ShortLives(Nginx, scenarios.Basics, unittest.TestCase):
    """Connections that nginx ends: after 5 requests, and when they were idle for a second."""
    @classmethod
    def peer(cls, folder, files, root):
        return super().peer(folder, files, root, extra="""
            keepalive_requests 5;
            keepalive_timeout 1s;""")

    @scenarios.everyhow
    def test_a_connection_that_ends_is_replaced(self, arguments, scheme):
        mark = self.server.mark()
        report = self.report(*arguments, "--count", "20", self.server.url(scheme, "/page.html"))
        self.assertEqual((report["statuses"], report["conns_opened"]), ({"200": 20}, 4))
        self.assertEqual(self.conns(mark, 20), 4)

    @scenarios.everyhow
    def test_a_connection_that_was_idle_too_long_is_replaced(self, arguments, scheme):
        # between two requests to nginx, one to somebody who answers once nginx has hung up
        mark = self.server.mark()
        other = cases.Peer(hold=self.all_gone)
        done = self.get(*arguments, "--explain", "-o", os.devnull,
                        self.server.url(scheme, "/page.html"), other.url,
                        self.server.url(scheme, "/page.html"))
        self.assertEqual(done.stderr.count(": failed"), 0, done.stderr)
        self.assertEqual(self.conns(mark, 2), 2)

    def all_gone(self):
        """Waits until nginx has no connection but the one that asks."""
        def gone():
            page = self.ask("/stats")
            return "Active connections: 1 " in page
        weftlib.wait_until(gone, "nginx closes what is idle")

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.plain,
                                                timeout=weftlib.SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read().decode()


class Proxy(unittest.TestCase):
    """nginx before `weft serve`, with connections that it keeps."""
    def test_it_passes_on_and_keeps_its_connection(self):
        for loop in weftlib.LOOPS:
            with tempfile.TemporaryDirectory() as folder, weftlib.serve("--event", loop) as server:
                folder = pathlib.Path(folder)
                folder.chmod(0o755)
                files = weftlib.Certificates(folder)
                place = server.url.removeprefix("http://")
                with peers.Nginx(folder, files=files, root=folder, echo=server.url,
                                 http=f"upstream weft {{ server {place}; keepalive 4; }}",
                                 extra="""location /weft/ {
                                     proxy_pass http://weft/;
                                     proxy_http_version 1.1;
                                     proxy_set_header Connection "";
                                 }""") as nginx:
                    for _ in range(10):
                        done = weftlib.weft("get", nginx.url("http", "/weft/hello"))
                        self.assertEqual((done.returncode, done.stdout), (0, "Hello, World\n"))
                    done = weftlib.weft("get", "--data", "word", nginx.url("http", "/weft/echo"))
                    self.assertEqual(done.stdout, "word")
                    self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 2)


if __name__ == "__main__":
    weftlib.main()
