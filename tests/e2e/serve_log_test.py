# SPDX-License-Identifier: MIT
"""What `weft serve` offers beside files themselves: caches, named vhosts, limits, and the access log."""
import gzip
import http.client
import json
import os
import re
import signal
import socket
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from cases import ServeCase, variants  # noqa: E402


def compresses():
    """Whether this build can compress on the way."""
    cache = weftlib.BUILD / "CMakeCache.txt"
    return not cache.exists() or re.search(r"^WEFT_(GZIP|BROTLI):BOOL=ON$", cache.read_text(), re.M)


class Log(ServeCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        self.root.mkdir()
        self.page = "".join(f"<p>line {i}</p>\n" for i in range(5000))
        (self.root / "page.html").write_text(self.page)
        (self.root / "style.css").write_text("p {}")
        self.log = self.folder / "access.log"

    def lines(self, count, path=None):
        """The lines of the log, once there are so many."""
        path = path or self.log
        weftlib.wait_until(lambda: path.exists() and path.read_text().count("\n") >= count, "the log")
        return path.read_text().splitlines()

    def curl(self, *arguments):
        done = weftlib.run("curl", "-sS", "--noproxy", "*", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    # ---- files, by curl and urllib ----

    def test_curl_decodes_compares_and_resumes(self):
        etag, out = self.folder / "etag", self.folder / "out"
        for words, arguments, listen in variants():
            with self.subTest(**words), self.serve("--root", self.root, *arguments,
                                                   listen=listen) as server:
                url = f"{server.url}/page.html"
                head = self.curl("-k", "--compressed", "-D-", "-o", out, url)
                self.assertEqual(out.read_text(), self.page)
                if compresses():
                    self.assertRegex(head, r"content-encoding: (br|gzip)")
                self.curl("-k", "--etag-save", etag, "-o", out, url)
                args = ("-k", "-o", os.devnull, "-w", "%{http_code} %{size_download}")
                self.assertEqual(self.curl(*args, "--etag-compare", etag, url), "304 0")
                self.assertEqual(self.curl(*args, "-z", out, url), "304 0")
                self.assertEqual(self.curl("-k", "-r", "2-5", url), self.page[2:6])
                self.assertEqual(self.curl("-k", "-r", "-7", url), self.page[-7:])
                parts = self.curl("-k", "-r", "0-3,1000-1003", url)
                self.assertEqual(parts.count("content-range: bytes "), 2)
                out.write_text(self.page[:1234])
                self.curl("-k", "-C", "-", "-o", out, url)
                self.assertEqual(out.read_text(), self.page)

    def test_urllib_gets_gzip(self):
        with self.serve("--root", self.root) as server:
            request = urllib.request.Request(f"{server.url}/page.html",
                                             headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(request, timeout=weftlib.SECONDS) as answer:
                body = answer.read()
                self.assertEqual(answer.headers["Content-Encoding"], "gzip" if weftlib.GZIP else None)
                if weftlib.GZIP:
                    body = gzip.decompress(body)
                self.assertEqual(body.decode(), self.page)
                self.assertEqual(answer.headers["Vary"], "accept-encoding")

    def test_caches_and_listings(self):
        with self.serve("--root", self.root, "--cache-control", "*.css=max-age=60, public",
                        "--listing") as server:
            sock = self.connect(server)
            self.assertEqual(self.ask(sock, target="/style.css")[1]["cache-control"], "max-age=60, public")
            self.assertNotIn("cache-control", self.ask(sock, target="/page.html")[1])
            code, _, body = self.ask(sock, target="/")
            self.assertEqual(code, 200)
            self.assertIn(b'<a href="page.html">page.html</a>', body)

    # ---- vhosts ----

    def test_names_pick_their_folder(self):
        other = self.folder / "other"
        other.mkdir()
        (other / "page.html").write_text("of the other")
        for words, arguments, listen in variants():
            with self.subTest(**words), self.serve("--root", self.root, *arguments, "--vhost",
                                                   f"other.example={other}", listen=listen) as server:
                port = str(server.port)
                for host, expected in (("other.example", "of the other"), ("OTHER.example", "of the other"),
                                       ("unknown.example", self.page), ("localhost", self.page)):
                    # by name in both SNI and Host
                    body = self.curl("-k", "--resolve", f"{host}:{port}:127.0.0.1",
                                     f"{words['tls'] and 'https' or 'http'}://{host}:{port}/page.html")
                    self.assertEqual(body, expected, host)
                if not words["tls"]:
                    continue
                # who shook hands with another name is misdirected: RFC 9110 section 15.5.20
                connection = http.client.HTTPConnection("localhost", server.port, timeout=weftlib.SECONDS)
                raw = socket.create_connection(("127.0.0.1", server.port), weftlib.SECONDS)
                connection.sock = weftlib.unverified().wrap_socket(raw, server_hostname="localhost")
                connection.request("GET", "/page.html", headers={"Host": "other.example"})
                self.assertEqual(connection.getresponse().status, 421)
                connection.close()

    def test_bad_names_are_refused(self):
        for option, value, text in (("--vhost", "name", "expected NAME=DIR"),
                                    ("--vhost", "=dir", "expected NAME=DIR"),
                                    ("--vhost", "LocalHost=.", "there is a vhost of that name"),
                                    ("--vhost", "a=/does/not/exist", "No such file"),
                                    ("--cache-control", "*.css", "expected PATTERN=VALUE"),
                                    ("--access-format", "common", "needs --access-log"),
                                    ("--body-max", "x", "expected a number"),
                                    ("--access-log", "/does/not/exist", "No such file")):
            done = weftlib.weft("serve", option, value)
            self.assertEqual(done.returncode, 2, option)
            self.assertIn(text, done.stderr)
        done = weftlib.weft("serve", "--access-log", self.log, "--access-format", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("expected common, combined or json", done.stderr)

    # ---- limits ----

    def test_bodies_over_the_limit(self):
        with self.serve("--body-max", "10", "--access-log", self.log) as server:
            args = ("-o", os.devnull, "-w", "%{http_code}", f"{server.url}/echo")
            self.assertEqual(self.curl("-d", "0123456789", *args), "200")
            self.assertEqual(self.curl("-d", "0123456789a", *args), "413")
            self.assertEqual(self.curl("-d", "@" + str(self.root / "page.html"), *args), "413")
        self.assertRegex(self.lines(3)[1], r'"POST /echo HTTP/1\.1" 413 - ')

    # ---- the log ----

    def test_a_log_whose_reader_is_gone_stops_nobody(self):
        os.mkfifo(self.log)
        reader = os.open(self.log, os.O_RDONLY | os.O_NONBLOCK)
        with self.serve("--root", self.root, "--access-log", self.log) as server:
            self.assertEqual(self.curl(f"{server.url}/style.css"), "p {}")
            os.close(reader)
            for _ in range(3):
                self.assertEqual(self.curl(f"{server.url}/style.css"), "p {}")

    def test_common_and_combined(self):
        pattern = (r'127\.0\.0\.1 - (\S+) \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
                   r'"GET /style\.css HTTP/1\.1" 200 4')
        for form, rest in (("common", ""), ("combined", r' "http://r/\\x22" "agent\\x09\\x5cx"')):
            with self.serve("--root", self.root, "--access-log", self.log, "--access-format",
                            form) as server:
                self.curl("-u", "me:x", "-e", 'http://r/"', "-A", "agent\t\\x", f"{server.url}/style.css")
                match = re.fullmatch(pattern + rest, self.lines(1)[0])
                self.assertTrue(match, self.log.read_text())
                self.assertEqual(match[1], "me")
            self.log.unlink()

    def test_json(self):
        for words, arguments, listen in variants():
            with self.subTest(**words), self.serve(
                    "--root", self.root, *arguments, "--access-log", self.log, "--access-format",
                    "json", listen=listen) as server:
                self.curl("-k", "-A", 'a"\\', f"{server.url}/page.html?q")
                sock = self.connect(server)
                self.ask(sock, target="/none", fields="User-Agent: \xe4\xff\r\n")
                sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nbad field: x\r\n\r\n")
                sock.recv(4096)
                one, two, three = (json.loads(line) for line in self.lines(3))
            self.log.unlink()
            self.assertEqual((one["method"], one["target"], one["status"], one["body_out"], one["peer"]),
                             ("GET", "/page.html?q", 200, len(self.page), "127.0.0.1"))
            self.assertEqual((one["scheme"], one["end"]), (words["tls"] and "https" or "http", "ok"))
            self.assertEqual((two["status"], two["target"]), (404, "/none"))
            self.assertEqual((three["status"], three["method"], three["end"]), (400, None, "protocol"))

    def test_rotation(self):
        old = self.folder / "old.log"
        with self.serve("--root", self.root, "--access-log", self.log) as server:
            self.curl(f"{server.url}/style.css")
            self.lines(1)
            self.log.rename(old)
            server.process.send_signal(signal.SIGHUP)
            weftlib.wait_until(self.log.exists, "the new log")
            self.curl(f"{server.url}/none")
            self.assertIn("/none", self.lines(1)[0])
        self.assertNotIn("/none", old.read_text())

    def test_workers_share_the_log_and_nothing_is_lost(self):
        with self.serve("--workers", "3", "--access-log", self.log, "--access-format", "json") as server:
            for i in range(60):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=weftlib.SECONDS)
                connection.request("GET", f"/bytes/{i}")
                connection.getresponse().read()
                connection.close()
        targets = {json.loads(line)["target"] for line in self.log.read_text().splitlines()}
        self.assertEqual(targets, {f"/bytes/{i}" for i in range(60)})


if __name__ == "__main__":
    weftlib.main()
