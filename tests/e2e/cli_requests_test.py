# SPDX-License-Identifier: MIT
"""`weft get`: what it sends and brings, what it shares, and the figures that it tells."""
import json
import os
import select
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from cases import GetCase, Peer  # noqa: E402

REPORT_KEYS = {"requests", "ok", "failed", "statuses", "protocol", "conns_opened", "handshakes_full",
               "handshakes_resumed", "streams_peak", "bytes", "seconds", "errors", "vhosts"}


class Bodies(GetCase):
    def test_bodies_go_to_standard_output_in_order(self):
        with weftlib.serve() as server:
            done = self.get(f"{server.url}/hello", f"{server.url}/bytes/0", f"{server.url}/hello")
            self.assertEqual((done.stdout, done.stderr), ("Hello, World\n" * 2, ""))

    def test_bodies_go_to_a_file(self):
        with weftlib.serve() as server:
            done = self.get("-o", self.folder / "out", f"{server.url}/hello")
            self.assertEqual(done.stdout, "")
            self.assertEqual((self.folder / "out").read_text(), "Hello, World\n")
            report = self.report("-o", self.folder / "out", f"{server.url}/bytes/100000")
            self.assertEqual(report["bytes"], 100000)
            self.assertEqual((self.folder / "out").stat().st_size, 100000)

    def test_a_full_disk_is_told(self):
        with weftlib.serve() as server:
            done = self.get("-o", "/dev/full", f"{server.url}/hello", code=1)
            self.assertIn("writing the output failed", done.stderr)

    def test_head_has_no_body(self):
        with weftlib.serve() as server:
            report = self.report("--method", "HEAD", f"{server.url}/bytes/1000")
            self.assertEqual((report["ok"], report["bytes"]), (1, 0))

    def test_any_status_is_a_complete_response(self):
        with weftlib.serve() as server:
            report = self.report(f"{server.url}/none")
            self.assertEqual((report["ok"], report["failed"]), (1, 0))

    def test_statuses_are_counted(self):
        with weftlib.serve() as server:
            report = self.report("--count", "3", f"{server.url}/none", f"{server.url}/hello")
            self.assertEqual(report["statuses"], {"200": 3, "404": 3})
            report = self.report(self.refused_url(), code=1)
            self.assertEqual(report["statuses"], {})

    def test_data_comes_back_from_echo(self):
        data = os.urandom(300000)
        (self.folder / "data").write_bytes(data)
        for loop in weftlib.LOOPS:
            with weftlib.serve("--event", loop) as server:
                url = f"{server.url}/echo"
                self.assertEqual(self.get("--event", loop, "--data", "wörd", url).stdout, "wörd")
                self.assertEqual(self.get("--event", loop, "--data", "", url).stdout, "")
                self.get("--event", loop, "--data-file", self.folder / "data",
                         "-o", self.folder / "copy", url)
                self.assertEqual((self.folder / "copy").read_bytes(), data)
                with open(self.folder / "data", "rb") as file:
                    done = self.get("--data-file", "-", url, stdin=file, text=False)
                self.assertEqual(done.stdout, data)

    def test_a_large_file_is_not_read_whole(self):
        block = os.urandom(1 << 20)
        size = 24 << 20  # above what is kept in memory
        with open(self.folder / "data", "wb") as file:
            for _ in range(24):
                file.write(block)
        with weftlib.serve() as server:
            report = self.report("--data-file", self.folder / "data", "--count", "2",
                                 "-o", self.folder / "copy", f"{server.url}/echo")
            self.assertEqual((report["ok"], report["bytes"]), (2, 2 * size))
        self.assertEqual((self.folder / "copy").read_bytes(), block * 48)

    def test_echo_arrives_while_standard_input_is_open(self):
        with weftlib.serve() as server:
            client = subprocess.Popen([weftlib.BIN, "get", "--data-file", "-", f"{server.url}/echo"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            with client:
                for word in (b"one", b"two"):
                    client.stdin.write(word)
                    client.stdin.flush()
                    self.assertTrue(select.select([client.stdout], [], [], weftlib.SECONDS)[0])
                    self.assertEqual(os.read(client.stdout.fileno(), 100), word)
                client.stdin.close()
                self.assertEqual(client.stdout.read(), b"")
                self.assertEqual(client.wait(weftlib.SECONDS), 0)


class Requests(GetCase):
    """What is sent, as a peer sees it that is not Weft."""

    def sent(self, *arguments, **options):
        peer = Peer()
        self.get(*arguments, peer.url, **options)
        peer.finish()
        return peer

    def test_a_plain_request(self):
        peer = self.sent()
        self.assertTrue(peer.head.startswith("GET / HTTP/1.1\r\n"), peer.head)
        self.assertNotRegex(peer.head.lower(), "content-length|transfer-encoding")

    def test_a_method(self):
        peer = self.sent("--method", "DELETE")
        self.assertTrue(peer.head.startswith("DELETE / HTTP/1.1\r\n"), peer.head)

    def test_header_fields(self):
        peer = self.sent("--header", "X-One: 1", "--header", "x-two:  two words ",
                         "--header=X-Empty:")
        lines = peer.head.lower().split("\r\n")
        for line in ("x-one: 1", "x-two: two words", "x-empty:"):
            self.assertIn(line, [each.strip() for each in lines])

    def test_data_is_posted_with_its_length(self):
        peer = self.sent("--data", "hello")
        self.assertTrue(peer.head.startswith("POST / HTTP/1.1\r\n"), peer.head)
        self.assertIn("content-length: 5", peer.head.lower())
        self.assertEqual(peer.body, b"hello")

    def test_empty_data_has_the_length_0(self):
        self.assertIn("content-length: 0", self.sent("--data", "").head.lower())

    def test_data_by_another_method(self):
        peer = self.sent("--method", "PUT", "--data", "x")
        self.assertTrue(peer.head.startswith("PUT / HTTP/1.1\r\n"), peer.head)
        self.assertEqual(peer.body, b"x")

    def test_a_file_is_posted_with_its_length(self):
        (self.folder / "data").write_bytes(b"x" * 70000)
        peer = self.sent("--data-file", self.folder / "data")
        self.assertIn("content-length: 70000", peer.head.lower())
        self.assertEqual(peer.body, b"x" * 70000)

    def test_standard_input_is_sent_in_chunks(self):
        peer = self.sent("--data-file", "-", stdin=None, input="piped")
        self.assertTrue(peer.head.startswith("POST / HTTP/1.1\r\n"), peer.head)
        self.assertIn("transfer-encoding: chunked", peer.head.lower())
        self.assertEqual(peer.body, b"piped")

    def test_a_named_pipe_is_sent_in_chunks(self):
        os.mkfifo(self.folder / "pipe")
        writer = threading.Thread(target=(self.folder / "pipe").write_bytes, args=[b"y" * 200000])
        writer.start()
        peer = self.sent("--data-file", self.folder / "pipe")
        writer.join()
        self.assertIn("transfer-encoding: chunked", peer.head.lower())
        self.assertEqual(peer.body, b"y" * 200000)

    def test_the_path_and_query_are_sent_as_given(self):
        peer = Peer()
        self.get(f"{peer.url}a%20b/?x=1&y=%2F#part")
        self.assertTrue(peer.finish().head.startswith("GET /a%20b/?x=1&y=%2F HTTP/1.1\r\n"))


class Sharing(GetCase):
    def counted(self, server, *arguments):
        """The client's report, and what the server counted meanwhile, its own /status apart."""
        before = weftlib.status(server)["counters"]
        report = self.report(*arguments)
        after = weftlib.status(server)["counters"]
        own = {"conns_accepted": 1, "streams_incoming": 1,
               "handshakes_full": int(server.url.startswith("https"))}
        return report, {key: after[key] - before[key] - own.get(key, 0) for key in after}

    def check(self, server, *common):
        url = f"{server.url}/hello"
        tls = int(server.url.startswith("https"))
        for arguments, requests, peak in (([], 1, 1), (["--count", "7"], 7, 1),
                                          (["--count", "7", "--parallel", "3"], 7, 3)):
            report, seen = self.counted(server, *common, *arguments, url)
            said = {key: report[key] for key in ("requests", "ok", "failed", "bytes", "protocol",
                                                 "conns_opened", "handshakes_full",
                                                 "handshakes_resumed", "streams_peak", "errors")}
            self.assertEqual(said, {
                "requests": requests, "ok": requests, "failed": 0, "bytes": 13 * requests,
                "protocol": "h2" if tls and "h2" in weftlib.ROLES else "http/1.1",
                "conns_opened": 1, "handshakes_full": tls,
                "handshakes_resumed": 0, "streams_peak": peak, "errors": []}, arguments)
            self.assertEqual((seen["conns_accepted"], seen["handshakes_full"],
                              seen["handshakes_resumed"], seen["streams_incoming"]),
                             (1, tls, 0, requests), arguments)

    def check_several(self, server, *common):
        """How many are needed depends on how fast the first ones are."""
        report, seen = self.counted(server, *common, "--count", "12", "--parallel", "6",
                                    "--max-conns", "4", f"{server.url}/bytes/100000")
        self.assertEqual((report["ok"], report["streams_peak"]), (12, 6))
        self.assertEqual(seen["streams_incoming"], 12)
        self.assertIn(report["conns_opened"], range(1, 5))
        self.assertEqual(seen["conns_accepted"], report["conns_opened"])
        if server.url.startswith("https"):
            self.assertIn(report["handshakes_full"], range(1, report["conns_opened"] + 1))

    def test_the_server_counts_the_same_over_http(self):
        for loop in weftlib.LOOPS:
            with self.subTest(loop), weftlib.serve("--event", loop) as server:
                self.check(server, "--event", loop)
                self.check_several(server, "--event", loop)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_the_server_counts_the_same_over_tls(self):
        files = weftlib.Certificates(self.folder)
        for loop, backend in weftlib.pairs():
            with self.subTest(loop=loop, tls=backend), weftlib.serve(
                    "--event", loop, "--tls", backend, "--cert", files.cert, "--key", files.key,
                    listen=["https://127.0.0.1:0"]) as server:
                common = "--event", loop, "--tls", backend, "--cacert", files.ca
                self.check(server, *common)
                self.check_several(server, *common)

    @unittest.skipUnless({"h1", "h2"} <= set(weftlib.ROLES), "a build without one of HTTP/1 and HTTP/2")
    def test_a_version_is_asked_for(self):
        files = weftlib.Certificates(self.folder) if weftlib.BACKENDS else None
        for words, arguments, scheme in weftlib.variants():
            trust = ["--cacert", files.ca] if scheme == "https" else []
            if trust:
                arguments += ["--cert", files.cert, "--key", files.key]
            for roles, version, taken in (
                    ("h2,h1", "1.1", "http/1.1"), ("h2,h1", "2", "h2"), ("h1", "1.1", "http/1.1"),
                    ("h2,h1", "auto", "h2" if trust else "http/1.1"), ("h1", "2", None),
                    ("h2", "2", "h2"), ("h2", "1.1", None), ("h1", "auto", "http/1.1"),
                    ("h1,h2", "auto", "http/1.1")):
                with self.subTest(roles=roles, version=version, **words), weftlib.serve(
                        "--roles", roles, *arguments, listen=[f"{scheme}://127.0.0.1:0"]) as server:
                    done = weftlib.weft("get", "--http", version, "--json", "--explain", *trust, "--event",
                                        words["loop"], f"{server.url}/hello")
                    report = json.loads(done.stdout)
                    if taken:
                        self.assertEqual((report["ok"], report["protocol"]), (1, taken), report)
                    else:
                        self.assertEqual((report["ok"], done.returncode), (0, 1), report)
                        # by ALPN, or by what the other side says
                        why = "application protocol" if trust else "^the server speaks HTTP/2 here" \
                            if version == "1.1" else "^HTTP/2: "
                        self.assertRegex(report["errors"][0]["cause"], f"(?i){why}")
                        if trust:  # it would say the same again, and is not asked
                            self.assertEqual(report["errors"][0]["status"], "unsupported")
                            self.assertIn("connections: 1 tried, 0 opened, 1 failed", done.stderr)

    @unittest.skipUnless({"h1", "h2"} <= set(weftlib.ROLES), "a build without one of HTTP/1 and HTTP/2")
    def test_what_cannot_be_spoken_is_said(self):
        done = weftlib.weft("serve", "--roles", "h2,h9")
        self.assertIn('there is no role "h9"', done.stderr)
        done = weftlib.weft("serve", "--roles", ",")
        self.assertIn("--roles: expected names", done.stderr)
        done = weftlib.weft("serve", "--roles", "h1," * 100)
        self.assertIn("--roles: more than 255 bytes", done.stderr)

    @unittest.skipUnless(weftlib.BACKENDS and "h2" in weftlib.ROLES, "a build without TLS or HTTP/2")
    def test_a_hundred_at_once_share_a_connection(self):
        files = weftlib.Certificates(self.folder)
        for loop, backend in weftlib.pairs():
            for own in weftlib.BACKENDS:
                with self.subTest(loop=loop, server=backend, client=own), weftlib.serve(
                        "--event", loop, "--tls", backend, "--cert", files.cert, "--key", files.key,
                        listen=["https://127.0.0.1:0"]) as server:
                    report, seen = self.counted(
                        server, "--event", loop, "--tls", own, "--cacert", files.ca, "--count", "100",
                        "--parallel", "100", f"{server.url}/hello")
                    self.assertEqual(
                        {key: report[key] for key in ("ok", "protocol", "conns_opened",
                                                      "handshakes_full", "streams_peak")},
                        {"ok": 100, "protocol": "h2", "conns_opened": 1, "handshakes_full": 1,
                         "streams_peak": 100})
                    self.assertEqual((seen["conns_accepted"], seen["handshakes_full"],
                                      seen["streams_incoming"]), (1, 1, 100))
                    # all of them were open at once there, too
                    self.assertGreaterEqual(weftlib.status(server)["counters"]["streams_peak"], 100)

    def test_a_scheme_in_capitals_is_the_same(self):
        with weftlib.serve() as server:
            url = f"{server.url}/hello"
            report = self.report(url, url.replace("http", "HTTP"))
            self.assertEqual((report["ok"], report["conns_opened"]), (2, 1))

    def test_a_count_is_for_each_url(self):
        with weftlib.serve() as server:
            report = self.report("--count", "3", f"{server.url}/hello", f"{server.url}/bytes/1")
            self.assertEqual((report["requests"], report["ok"], report["bytes"]), (6, 6, 42))

    def test_more_requests_at_once_than_a_queue_has_by_default(self):
        with weftlib.serve() as server:
            report = self.report("--count", "10500", "--parallel", "10500", f"{server.url}/bytes/0")
            self.assertEqual((report["ok"], report["conns_opened"]), (10500, 1))


class Report(GetCase):
    def test_it_has_exactly_these_keys(self):
        with weftlib.serve() as server:
            report = self.report(f"{server.url}/hello")
        self.assertEqual(set(report), REPORT_KEYS)
        self.assertIsInstance(report["seconds"], float)
        self.assertEqual(set(report["vhosts"]), {"before", "during", "after", "created", "freed",
                                                 "stores", "events"})
        for moment in ("before", "during", "after"):
            self.assertEqual(set(report["vhosts"][moment]), {"live", "heap"})

    def test_failures_are_listed_once_each_with_their_count(self):
        refused = self.refused_url()
        report = self.report("--count", "3", refused, "http://none.invalid/", code=1)
        self.assertEqual(set(report), REPORT_KEYS)
        self.assertEqual((report["requests"], report["ok"], report["failed"]), (6, 0, 6))
        errors = {e["url"]: e for e in report["errors"]}
        self.assertEqual(len(report["errors"]), 2)
        self.assertEqual(set(errors[refused]), {"url", "status", "cause", "count"})
        self.assertEqual((errors[refused]["status"], errors[refused]["count"]), ("refused", 3))
        self.assertIn("refused", errors[refused]["cause"])
        failed = errors["http://none.invalid/"]
        self.assertEqual((failed["status"], failed["count"]), ("resolve", 3))
        self.assertIn("none.invalid", failed["cause"])
        self.assertIsNone(report["vhosts"]["during"])

    def heaps(self, *arguments):
        # without glibc's cache of freed pieces, which counts as heap in use
        clean = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
        vhosts = self.report(*arguments, env=clean)["vhosts"]
        live = [vhosts[moment]["live"] for moment in ("before", "during", "after")]
        self.assertEqual((live, vhosts["created"], vhosts["freed"]), ([0, 1, 0], 1, 1))
        return [vhosts[moment]["heap"] for moment in ("before", "during", "after")]

    @unittest.skipIf(weftlib.SANITIZED, "the sanitizer's heap is not glibc's")
    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_a_vhost_leaves_the_heap_as_it_was(self):
        files = weftlib.Certificates(self.folder)
        with weftlib.serve("--cert", files.cert, "--key", files.key,
                           listen=["https://127.0.0.1:0"]) as server:
            for loop, backend in weftlib.pairs():
                before, during, after = self.heaps(
                    "--event", loop, "--tls", backend, "--cacert", files.ca, "--count", "20",
                    "--parallel", "5", "--max-conns", "2", f"{server.url}/hello")
                self.assertGreater(during, before + 20000, backend)
                self.assertLess(abs(after - before), 4096, f"{loop}, {backend}")


if __name__ == "__main__":
    weftlib.main()
