# SPDX-License-Identifier: MIT
"""curl as a client of `weft serve`."""
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

if not shutil.which("curl"):
    weftlib.skip_all("no curl on this machine")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.files = weftlib.Certificates(cls.folder) if weftlib.BACKENDS else None
        cls.data = os.urandom(3000000)
        (cls.folder / "data.bin").write_bytes(cls.data)

    http = []  # which version of HTTP to ask for

    def curl(self, *arguments, code=0, **options):
        trust = ["--cacert", self.files.ca] if self.files else []
        done = weftlib.run("curl", "--silent", "--show-error", "--max-time", "50", *trust,
                           *self.http, *arguments, **options)
        codes = code if isinstance(code, list) else [code]
        self.assertIn(done.returncode, codes, f"{arguments}: {done.stderr}")
        return done

    def url(self, server, path="/hello"):
        return f"{server.url}{path}"


def everywhere(test):
    """A test that is given a server of each loop, without TLS and with each backend, and asks by each
    version of HTTP."""
    @functools.wraps(test)
    def run(self):
        for words, arguments, scheme in weftlib.variants():
            if scheme == "https":
                arguments += ["--cert", self.files.cert, "--key", self.files.key]
            second = "--http2" if scheme == "https" else "--http2-prior-knowledge"
            for version in ("--http1.1", *([second] if "h2" in weftlib.ROLES else [])):
                with self.subTest(version=version, **words), weftlib.serve(
                        "--root", self.folder, *arguments,
                        listen=[f"{scheme}://127.0.0.1:0"]) as server:
                    self.http = [version]
                    test(self, server)
    return run


def several(test):
    """What takes several transfers; this curl fails at the second by prior knowledge, with any server."""
    @functools.wraps(test)
    def run(self, server):
        if self.http != ["--http2-prior-knowledge"]:
            test(self, server)
    return run


def only_http_1(test):
    """What HTTP/2 has nothing of."""
    @functools.wraps(test)
    def run(self, server):
        if self.http == ["--http1.1"]:
            test(self, server)
    return run


class Exchanges(Case):
    @everywhere
    def test_get_and_head(self, server):
        self.assertEqual(self.curl(self.url(server)).stdout, "Hello, World\n")
        head = self.curl("--head", self.url(server)).stdout
        self.assertRegex(head, r"\AHTTP/(1\.1 200 OK|2 200 )\n")
        self.assertIn("content-length: 13\n", head)
        done = self.curl(self.url(server, "/data.bin"), text=False)
        self.assertTrue(done.stdout == self.data)

    @everywhere
    def test_post_and_put(self, server):
        for arguments in (["--data", "some=form"], ["--request", "PUT", "--data", "some=form"]):
            done = self.curl("--include", *arguments, self.url(server, "/echo"))
            self.assertIn("content-type: application/x-www-form-urlencoded\n", done.stdout)
            self.assertTrue(done.stdout.endswith("\n\nsome=form"), done.stdout)
        self.assertEqual(self.curl("--data", "", self.url(server, "/echo")).stdout, "")

    @everywhere
    def test_a_form_of_parts(self, server):
        done = self.curl("--form", f"file=@{self.folder}/data.bin", self.url(server, "/echo"),
                         text=False)
        self.assertIn(self.data, done.stdout)

    @everywhere
    def test_an_upload_of_known_length(self, server):
        done = self.curl("--upload-file", self.folder / "data.bin", self.url(server, "/echo"),
                         text=False)
        self.assertTrue(done.stdout == self.data)

    @everywhere
    @only_http_1
    def test_an_upload_in_chunks(self, server):
        done = self.curl("--verbose", "--upload-file", "-", self.url(server, "/echo"),
                         stdin=None, input=self.data, text=False)
        self.assertIn(b"> Transfer-Encoding: chunked\r\n", done.stderr)
        self.assertIn(b"< transfer-encoding: chunked\r\n", done.stderr)
        self.assertEqual(hashlib.sha256(done.stdout).digest(), hashlib.sha256(self.data).digest())

    @everywhere
    @only_http_1
    def test_http_1_0_and_its_end(self, server):
        done = self.curl("--http1.0", "--verbose", "--write-out", "%{num_connects} ",
                         self.url(server), self.url(server))
        self.assertEqual(done.stdout, "Hello, World\n1 Hello, World\n1 ")
        self.assertIn("> GET /hello HTTP/1.0\n", done.stderr)
        self.assertEqual(self.curl("--http1.0", "--data", "x", self.url(server, "/echo")).stdout, "x")

    @everywhere
    def test_a_large_body_is_asked_for(self, server):
        done = self.curl("--verbose", "--data-binary", f"@{self.folder}/data.bin", "--header",
                         "Expect: 100-continue", self.url(server, "/echo"), text=False)
        self.assertTrue(done.stdout == self.data)
        self.assertEqual(len(re.findall(br"< HTTP/(1\.1 100 Continue|2 100)", done.stderr)), 1,
                         done.stderr)
        self.assertNotIn(b"Done waiting for 100-continue", done.stderr)

    @everywhere
    def test_an_answer_that_does_not_wait_for_the_body(self, server):
        done = self.curl("--data-binary", f"@{self.folder}/data.bin", "--header",
                         "Expect: 100-continue", "--write-out", "%{http_code}",
                         self.url(server, "/data.bin"))
        self.assertEqual(done.stdout[-3:], "405")

    @everywhere
    @several
    def test_urls_share_a_connection(self, server):
        output = [word for _ in range(4) for word in ("--output", os.devnull)]
        done = self.curl(*output, "--write-out", "%{num_connects} %{http_code} ", self.url(server),
                         self.url(server, "/bytes/100000"), self.url(server, "/none"),
                         self.url(server))
        self.assertEqual(done.stdout, "1 200 0 200 0 404 0 200 ")

    @everywhere
    def test_several_at_once(self, server):
        urls = [word for i in range(8) for word in ("--output", self.folder / f"part{i}",
                                                    self.url(server, "/bytes/300000"))]
        self.curl("--parallel", "--parallel-immediate", *urls)
        parts = {(self.folder / f"part{i}").read_bytes() for i in range(8)}
        self.assertEqual([len(part) for part in parts], [300000])

    @everywhere
    def test_ranges_of_a_file(self, server):
        for words, status, body in (
                ("0-99", 206, self.data[:100]), ("2999900-", 206, self.data[-100:]),
                ("-7", 206, self.data[-7:]), ("3000000-", 416, None)):
            done = self.curl("--range", words, "--write-out", "%{stderr}%{http_code}",
                             self.url(server, "/data.bin"), text=False)
            self.assertEqual(int(done.stderr), status, words)
            self.assertTrue(body is None or done.stdout == body, words)
        done = self.curl("--range", "0-1,100-101", "--include", self.url(server, "/data.bin"),
                         text=False)
        self.assertIn(b"content-type: multipart/byteranges", done.stdout)

    @everywhere
    def test_a_range_of_what_is_made_up_is_ignored(self, server):
        done = self.curl("--range", "0-99", "--include", self.url(server, "/bytes/1000"), text=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        self.assertRegex(head, br"\AHTTP/(1\.1 200 OK|2 200 )\r\n")
        self.assertNotIn(b"content-range", head.lower())
        self.assertEqual(len(body), 1000)

    @everywhere
    def test_an_offer_of_compression_is_no_demand(self, server):
        done = self.curl("--compressed", "--verbose", self.url(server))
        self.assertIn("> accept-encoding: ", done.stderr.lower())
        self.assertNotIn("content-encoding", done.stderr.lower())
        self.assertEqual(done.stdout, "Hello, World\n")

    @everywhere
    def test_a_reader_that_gives_up(self, server):
        self.curl("--limit-rate", "100k", "--max-time", "0.5", "--output", os.devnull,
                  self.url(server, "/bytes/100000000"), code=28)

        def counted():
            status = weftlib.status(server)
            return status["counters"]["streams_failed"] == 1 and status["conns"] == 1
        weftlib.wait_until(counted, "the server notices")

    @everywhere
    def test_what_a_browser_would_send(self, server):
        done = self.curl("--header", "Cookie: " + "x" * 8000, "--user-agent", "Mozilla/5.0 (X11)",
                         "--header", "Accept-Language: de,en;q=0.5", "--referer", server.url,
                         "--header", "Upgrade-Insecure-Requests: 1", self.url(server))
        self.assertEqual(done.stdout, "Hello, World\n")

    @everywhere
    def test_a_file_that_has_not_changed(self, server):
        tag, copy = self.folder / "tag", self.folder / "etag-copy"
        tag.unlink(missing_ok=True)
        codes = [self.curl("--etag-save", tag, "--etag-compare", tag, "--output", copy,
                           "--write-out", "%{http_code}", self.url(server, "/data.bin")).stdout
                 for _ in range(2)]
        self.assertEqual(codes, ["200", "304"])
        self.assertTrue(copy.read_bytes() == self.data)

    @everywhere
    def test_a_download_goes_on_where_it_stopped(self, server):
        copy = self.folder / "continued"
        copy.write_bytes(self.data[:1000000])
        self.curl("--continue-at", "-", "--output", copy, self.url(server, "/data.bin"))
        self.assertTrue(copy.read_bytes() == self.data)

    @everywhere
    def test_a_client_that_does_not_wait_to_be_asked(self, server):
        done = self.curl("--data-binary", f"@{self.folder}/data.bin", "--header",
                         "Expect: 100-continue", "--expect100-timeout", "0.001",
                         self.url(server, "/echo"), text=False)
        self.assertTrue(done.stdout == self.data)

    @everywhere
    @only_http_1
    def test_an_upgrade_that_is_not_there(self, server):
        # "Upgrade: h2c" where there is no TLS
        done = self.curl("--http2", "--write-out", "%{http_version}", self.url(server))
        version = "2" if server.url.startswith("https") and "h2" in weftlib.ROLES else "1.1"
        self.assertEqual(done.stdout, f"Hello, World\n{version}")

    @everywhere
    @several
    def test_a_redirect_is_followed(self, server):
        (self.folder / "docs").mkdir(exist_ok=True)
        (self.folder / "docs" / "index.html").write_text("index")
        done = self.curl("--location", "--write-out", " %{num_redirects}", self.url(server, "/docs"))
        self.assertEqual(done.stdout, "index 1")


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class Tls(Case):
    def servers(self, cert=None, key=None, *arguments):
        for loop, backend in weftlib.pairs():
            with weftlib.serve("--event", loop, "--tls", backend, "--cert", cert or self.files.cert,
                               "--key", key or self.files.key,
                               *arguments, listen=["https://127.0.0.1:0"]) as server:
                yield server, backend

    def test_versions(self):
        for server, backend in self.servers():
            for version, cap in (("1.2", "tls1.2"), ("1.3", "tls1.3")):
                can = cap in weftlib.caps("tls", backend)
                done = self.curl("--verbose", f"--tlsv{version}", "--tls-max", version,
                                 self.url(server), code=0 if can else 35)
                if can:
                    self.assertIn(f"SSL connection using TLSv{version} ", done.stderr, backend)
                else:
                    self.assertRegex(done.stderr, "alert (protocol version|handshake failure)")

    def test_the_best_version_is_taken(self):
        for server, backend in self.servers():
            best = "1.3" if "tls1.3" in weftlib.caps("tls", backend) else "1.2"
            done = self.curl("--verbose", self.url(server))
            self.assertIn(f"SSL connection using TLSv{best} ", done.stderr, backend)

    def test_old_versions_are_refused(self):
        for server, backend in self.servers():
            for version in ("1.0", "1.1"):
                done = self.curl(f"--tlsv{version}", "--tls-max", version, "--ciphers",
                                 "DEFAULT@SECLEVEL=0", self.url(server), code=35)
                self.assertIn("alert protocol version", done.stderr, backend)

    def test_a_version_is_agreed_on(self):
        for server, _ in self.servers():
            best = "h2" if "h2" in weftlib.ROLES else "http/1.1"
            for arguments, taken in ([], best), (["--http1.1"], "http/1.1"):
                done = self.curl("--verbose", *arguments, self.url(server))
                self.assertIn(f"ALPN: server accepted {taken}\n", done.stderr)
            done = self.curl("--verbose", "--no-alpn", self.url(server))
            self.assertEqual(done.stdout, "Hello, World\n")
            done = self.curl("--verbose", "--http1.0", self.url(server))
            self.assertRegex(done.stderr, r"ALPN: server accepted http/1\.0")

    def test_by_name_and_by_address(self):
        for server, _ in self.servers():
            for host in ("localhost", "127.0.0.1"):
                done = self.curl(f"https://{host}:{server.port}/hello")
                self.assertEqual(done.stdout, "Hello, World\n")

    def test_a_wrong_name_is_noticed(self):
        for server, _ in self.servers():
            done = self.curl("--resolve", f"weft.test:{server.port}:127.0.0.1",
                             f"https://weft.test:{server.port}/hello", code=60)
            self.assertIn("weft.test", done.stderr)

    def test_a_pinned_key(self):
        for server, _ in self.servers():
            self.curl("--pinnedpubkey", self.files.pin(self.files.cert), self.url(server))
            self.curl("--pinnedpubkey", self.files.pin(self.files.ca), self.url(server), code=90)

    def test_a_certificate_of_its_own(self):
        cert, key = self.files.issue("curl", "DNS:curl.test", usage="clientAuth")
        for server, _ in self.servers(None, None, "--client-ca", self.files.ca):
            done = self.curl("--cert", cert, "--key", key, self.url(server, "/whoami"))
            who = json.loads(done.stdout)
            self.assertEqual((who["name"], who["verified"], who["alpn"]),
                             ("CN=curl", True, "h2" if "h2" in weftlib.ROLES else "http/1.1"))
            self.assertEqual(who["sni"], None if "127.0.0.1" in server.url else "localhost")
            self.curl(self.url(server), code=[35, 55, 56])

    def test_two_transfers_with_one_session(self):
        # each after the other's connection has ended; curl keeps sessions within a run
        for server, backend in self.servers():
            # of TLS 1.2, this curl offers no session again, whatever the server
            if not {"resume", "tls1.3"} <= set(weftlib.caps("tls", backend)):
                continue
            close = ["--http1.1", "--header", "Connection: close"]
            done = self.curl(*close, self.url(server, "/whoami"), "--next", "--silent", "--cacert",
                             self.files.ca, *close, self.url(server, "/whoami"))
            self.assertEqual(done.stdout.count('"resumed": true'), 1, done.stdout)

    def test_a_certificate_for_another_name(self):
        cert, key = self.files.issue("other", "DNS:weft.test,DNS:*.weft.test")
        for server, _ in self.servers(cert, key):
            for host in ("weft.test", "sub.weft.test"):
                done = self.curl("--resolve", f"{host}:{server.port}:127.0.0.1",
                                 f"https://{host}:{server.port}/hello")
                self.assertEqual(done.stdout, "Hello, World\n")
            self.curl(self.url(server), code=60)

    def test_an_unknown_ca_is_noticed(self):
        for server, _ in self.servers():
            done = weftlib.run("curl", "--silent", "--show-error", self.url(server))
            self.assertEqual(done.returncode, 60, done.stderr)

    def test_the_end_is_announced(self):
        # without close_notify, a response that ends with the connection would be no success
        for server, _ in self.servers():
            done = self.curl("--http1.0", "--verbose", self.url(server, "/bytes/100000"),
                             "--output", os.devnull)
            self.assertNotRegex(done.stderr, re.compile("unexpected eof|missing close_notify", re.I))


if __name__ == "__main__":
    weftlib.main()
