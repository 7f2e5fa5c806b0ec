# SPDX-License-Identifier: MIT
"""The weft command's own manners, and each option and exit code of `weft get`."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from weftlib import weft  # noqa: E402

REPORT_KEYS = {"requests", "ok", "failed", "protocol", "conns_opened", "handshakes_full",
               "handshakes_resumed", "streams_peak", "bytes", "seconds", "errors", "vhosts"}


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def refused_url(self):
        """Of a port that is taken and not listened at."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}/"

    def get(self, *arguments, code=0, **options):
        done = weft("get", *arguments, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def report(self, *arguments, code=0, **options):
        """The figures of --json, which are all that standard output has."""
        done = self.get("--json", *arguments, code=code, **options)
        self.assertEqual(done.stdout.count("\n"), 1, done.stdout)
        return json.loads(done.stdout)


class Peer(threading.Thread):
    """A server for one request: keeps what it got in .head and .body, and answers with these bytes."""

    def __init__(self, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", hang_up=False):
        super().__init__(daemon=True)
        self.answer, self.hang_up = answer, hang_up
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


class Command(unittest.TestCase):
    def test_without_a_command_it_tells_which_there_are(self):
        done = weft()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for word in ("usage: weft COMMAND", "serve", "get", "plugins"):
            self.assertIn(word, done.stderr)

    def test_help_goes_to_standard_output(self):
        done = weft("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("usage: weft COMMAND", done.stdout)

    def test_an_unknown_command_is_named(self):
        done = weft("fetch")
        self.assertEqual(done.returncode, 2)
        self.assertIn('"fetch"', done.stderr)

    def test_version(self):
        done = weft("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^weft \d+\.\d+\.\d+\n$")

    def test_every_option_has_a_line_of_help(self):
        options = {
            "serve": "listen event tls cert key self-signed root plugin-dir log",
            "get": "event tls http cacert insecure count parallel max-conns method data "
                   "data-file header explain json",
        }
        for command, names in options.items():
            done = weft(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for name in names.split():
                self.assertRegex(done.stdout, rf"(?m)^  --{name} .*\w", f"{command} --{name}")
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 100, line)


class Usage(Folder):
    def assert_usage(self, arguments, *words):
        with self.subTest(" ".join(map(str, arguments))):
            done = weft("get", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertRegex(done.stderr, r"\Aweft get: .*\n\Z")
            for word in words:
                self.assertIn(word, done.stderr)

    def test_options_that_are_wrong(self):
        url = "http://127.0.0.1:1/"
        for arguments, *words in (
                ([], "expected a URL", "weft get --help"),
                (["--nonsense", url], "unknown option --nonsense", "weft get --help"),
                (["-x", url], "unknown option -x"),
                ([url, "--count"], "--count", "needs a value"),
                ([url, "-o"], "-o", "needs a value"),
                (["--json=yes", url], "--json", "takes no value"),
                (["--count", "0", url], '--count "0"', "number from 1"),
                (["--count", "", url], '--count ""', "number from 1"),
                (["--parallel", "1x", url], '--parallel "1x"', "number from 1"),
                (["--parallel=-1", url], '--parallel "-1"', "number from 1"),
                (["--max-conns", "99999999999999999999", url], "--max-conns", "number from 1"),
                (["--http", "3", url], '--http "3"', "1.1"),
                (["--data", "a", "--data-file", "b", url], "--data and --data-file exclude"),
                (["--header", "novalue", url], '"novalue"', "Name: value"),
                (["--header", ": value", url], "Name: value"),
                (["--header", "a b: c", url], '"a b"'),
                (["--header", "Host: other", url], "host"),
                (["--header", "Content-Length: 3", url], "content-length"),
                (["--method", "G T", url], '"G T"'),
                (["--log", "loud", url], '"loud"', "error, warn, info, debug")):
            self.assert_usage(arguments, *words)

    def test_urls_that_are_wrong(self):
        for url, *words in (
                ("nonsense", "nonsense"),
                ("-", '"-"', "http://"),
                ("ftp://127.0.0.1/", "ftp", "http://"),
                ("http://", "expected a host"),
                ("http:///path", "expected a host"),
                ("http://127.0.0.1:99999/", "port"),
                ("http://127.0.0.1:x/", "port"),
                ("http://127.0.0.1:0/", "port 0"),
                ("http://[::1/", "closing bracket"),
                ("http://a b/", "column")):
            self.assert_usage([url], *words)

    def test_what_follows_two_dashes_is_a_url(self):
        self.assert_usage(["--", "--json"], '"--json"', "http://")

    def test_backends_that_are_not_there(self):
        self.assert_usage(["--event", "none-such", "http://127.0.0.1:1/"],
                          '"none-such"', *weftlib.LOOPS)
        self.assert_usage(["--tls", "none-such", "https://127.0.0.1:1/"],
                          '"none-such"', *weftlib.BACKENDS)
        self.assert_usage(["--tls", "none", "https://127.0.0.1:1/"], "https needs TLS")

    def test_files_that_cannot_be_read_or_written(self):
        url, here = "http://127.0.0.1:1/", self.folder
        self.assert_usage(["--data-file", here / "none", url], f"{here}/none", "No such file")
        self.assert_usage(["--data-file", here, url], f"{here}", "directory")
        self.assert_usage(["-o", here / "none" / "x", url], f"{here}/none/x", "No such file")
        self.assert_usage(["-o", here, url], f"{here}", "directory")
        self.assert_usage(["--data-file", "-", "--count", "2", url], "once only")

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_certificates_that_cannot_be_used(self):
        text, broken = self.folder / "text.pem", self.folder / "broken.pem"
        text.write_text("certainly\n")
        broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        for backend in weftlib.BACKENDS:
            for file, words in ((self.folder / "none.pem", "No such file"),
                                (self.folder, "not a regular file"),
                                (text, "no certificate in it"),
                                (broken, "certificate 1")):
                self.assert_usage(["--tls", backend, "--cacert", file, "https://127.0.0.1:1/"],
                                  str(file), words)

    def test_nothing_is_sent_where_one_url_is_wrong(self):
        with weftlib.serve() as server:
            self.assert_usage([f"{server.url}/hello", "nonsense"], "nonsense")
            self.assertEqual(weftlib.status(server)["counters"]["streams_incoming"], 1)

    def test_an_output_file_is_not_touched_by_a_mistake(self):
        (self.folder / "kept").write_text("before")
        self.assert_usage(["-o", self.folder / "kept", "nonsense"], "nonsense")
        self.assertEqual((self.folder / "kept").read_text(), "before")


class Bodies(Folder):
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


class Requests(Folder):
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


class Sharing(Folder):
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
                "protocol": "http/1.1", "conns_opened": 1, "handshakes_full": tls,
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

    def test_a_count_is_for_each_url(self):
        with weftlib.serve() as server:
            report = self.report("--count", "3", f"{server.url}/hello", f"{server.url}/bytes/1")
            self.assertEqual((report["requests"], report["ok"], report["bytes"]), (6, 6, 42))

    def test_more_requests_at_once_than_a_queue_has_by_default(self):
        with weftlib.serve() as server:
            report = self.report("--count", "10500", "--parallel", "10500", f"{server.url}/bytes/0")
            self.assertEqual((report["ok"], report["conns_opened"]), (10500, 1))


class Report(Folder):
    def test_it_has_exactly_these_keys(self):
        with weftlib.serve() as server:
            report = self.report(f"{server.url}/hello")
        self.assertEqual(set(report), REPORT_KEYS)
        self.assertIsInstance(report["seconds"], float)
        self.assertEqual(set(report["vhosts"]), {"before", "during", "after", "created", "freed"})
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


class Failures(Folder):
    def test_a_refused_port_is_told(self):
        refused = self.refused_url()
        for loop in weftlib.LOOPS:
            done = self.get("--event", loop, refused, code=1)
            self.assertEqual(done.stdout, "")
            self.assertIn(f"weft get: {refused}: refused: ", done.stderr)

    def test_a_host_without_an_address_is_told(self):
        done = self.get("http://none.invalid/", code=1)
        self.assertIn('"none.invalid"', done.stderr)

    def test_one_failure_does_not_keep_the_others_back(self):
        refused = self.refused_url()
        with weftlib.serve() as server:
            done = self.get(f"{server.url}/hello", refused, f"{server.url}/hello", code=1)
            self.assertEqual(done.stdout, "Hello, World\n" * 2)
            report = self.report(refused, f"{server.url}/hello", code=1)
            self.assertEqual((report["ok"], report["failed"]), (1, 1))
            self.assertEqual([e["url"] for e in report["errors"]], [refused])

    def test_a_response_that_ends_early_is_no_success(self):
        peer = Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", hang_up=True)
        report = self.report(peer.url, code=1)
        self.assertEqual([e["status"] for e in report["errors"]], ["truncated"])

    def test_what_is_not_http_is_no_success(self):
        peer = Peer(b"SSH-2.0-nonsense\r\n\r\n")
        report = self.report(peer.url, code=1)
        self.assertEqual([e["status"] for e in report["errors"]], ["protocol"])

    def interrupted(self, sig, *arguments, **options):
        """Exit code and output of one that is stopped while its peer says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(weftlib.SECONDS)
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            with subprocess.Popen([weftlib.BIN, "get", *arguments, url], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  **options) as client:
                peer, _ = silent.accept()
                with peer:
                    self.assertTrue(peer.recv(4))
                    client.send_signal(sig)
                    out, _ = client.communicate(timeout=weftlib.SECONDS)
            return client.returncode, out

    def test_signals_end_it(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            code, out = self.interrupted(sig, "--json")
            self.assertEqual(code, 130)
            self.assertEqual(json.loads(out)["ok"], 0)

    def test_signals_end_it_while_standard_input_says_nothing(self):
        read, write = os.pipe()
        self.addCleanup(os.close, write)
        with open(read, "rb") as stdin:
            code, _ = self.interrupted(signal.SIGINT, "--data-file", "-", stdin=stdin)
        self.assertEqual(code, 130)


class Explanations(Folder):
    def told(self, *arguments, code=0):
        done = self.get("--explain", *arguments, code=code)
        return done.stdout, done.stderr

    def test_each_request_has_its_story(self):
        with weftlib.serve() as server:
            url = f"{server.url}/hello"
            out, story = self.told("--count", "2", url)
            self.assertEqual(out, "Hello, World\n" * 2)
            self.assertEqual(story.count(f"{url}\n"), 2)
            self.assertEqual(story.count("connection 1, made for this\n"), 1)
            self.assertEqual(story.count("connection 1, reused\n"), 1)
            self.assertEqual(len(re.findall(r"(?m)^\+\d+ ms: complete$", story)), 2)

    def test_a_failure_has_one_too(self):
        url = self.refused_url()
        _, story = self.told(url, code=1)
        self.assertIn("connection 1 failed (refused)", story)
        self.assertRegex(story, r"(?m)^\+\d+ ms: failed \(refused\)$")

    def test_it_leaves_the_figures_alone(self):
        with weftlib.serve() as server:
            out, story = self.told("--json", f"{server.url}/hello")
            self.assertEqual(json.loads(out)["ok"], 1)
            self.assertIn("complete\n", story)


class Progress(Folder):
    def slowly(self, **options):
        """Fetches what takes longer than progress waits to show."""
        go = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

            def serve():
                sock, _ = listener.accept()
                with sock:
                    sock.recv(65536)
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
                    for _ in range(15):
                        sock.sendall(b"..")
                        go.wait(0.1)
                    sock.recv(1)

            threading.Thread(target=serve, daemon=True).start()
            return weftlib.run(weftlib.BIN, "get", "-o", os.devnull, url, **options)

    def test_a_terminal_sees_it(self):
        master, slave = pty.openpty()
        with open(master, "rb", buffering=0) as terminal:
            done = self.slowly(stderr=slave)
            os.close(slave)
            shown = terminal.read(65536).decode()
        self.assertEqual(done.returncode, 0)
        self.assertIn("0 of 1 requests", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), repr(shown))  # and it is wiped off

    def test_a_file_does_not(self):
        done = self.slowly()
        self.assertEqual((done.returncode, done.stderr), (0, ""))


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class Verification(unittest.TestCase):
    """A certificate of each kind, seen by each backend on each loop."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        names = "DNS:localhost,IP:127.0.0.1"
        cls.files = weftlib.Certificates(cls.folder)
        (cls.folder / "stranger").mkdir()
        cls.stranger = weftlib.Certificates(cls.folder / "stranger")
        issue = cls.files.issue
        cls.faults = {
            "certificate expired": issue("old", names, end="20210101000000Z"),
            "certificate not yet valid": issue("young", names, start="20480101000000Z"),
            "certificate is for another host": issue("other", "DNS:elsewhere.test,IP:127.0.0.2"),
            "certificate issuer is unknown": (cls.stranger.cert, cls.stranger.key),
            "certificate is self-signed": cls.self_signed(names),
        }
        cls.servers = {}
        for number, (words, (cert, key)) in enumerate(cls.faults.items()):
            backend = weftlib.BACKENDS[number % len(weftlib.BACKENDS)]
            cls.servers[words] = cls.start("--tls", backend, "--cert", cert, "--key", key)
        cls.good = cls.start("--cert", cls.files.cert, "--key", cls.files.key)

    @classmethod
    def self_signed(cls, names):
        cert, key = cls.folder / "self.pem", cls.folder / "self.key"
        weftlib.run("openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=self",
                    "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=CA:FALSE",
                    "-keyout", key, "-out", cert)
        return cert, key

    @classmethod
    def start(cls, *arguments):
        server = weftlib.serve(*arguments, listen=["https://127.0.0.1:0"])
        cls.addClassCleanup(server.__exit__, None, None, None)
        return server

    def get(self, *arguments, code):
        done = weft("get", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_a_trusted_certificate_is_accepted_by_name_and_by_address(self):
        for loop, backend in weftlib.pairs():
            for host in ("localhost", "127.0.0.1"):
                done = self.get("--event", loop, "--tls", backend, "--cacert", self.files.ca,
                                f"https://{host}:{self.good.port}/hello", code=0)
                self.assertEqual((done.stdout, done.stderr), ("Hello, World\n", ""))

    def test_the_systems_store_does_not_trust_it(self):
        for loop, backend in weftlib.pairs():
            done = self.get("--event", loop, "--tls", backend, f"{self.good.url}/hello", code=3)
            self.assertEqual(done.stdout, "")
            self.assertIn(f"{self.good.url}/hello: verify: certificate issuer is unknown",
                          done.stderr)

    def test_each_fault_ends_it_with_its_words(self):
        for loop, backend in weftlib.pairs():
            for words, server in self.servers.items():
                with self.subTest(words, loop=loop, tls=backend):
                    done = self.get("--event", loop, "--tls", backend, "--cacert", self.files.ca,
                                    "--json", f"{server.url}/hello", code=3)
                    self.assertIn(f"{server.url}/hello: verify: {words}\n", done.stderr)
                    error, = json.loads(done.stdout)["errors"]
                    self.assertEqual((error["status"], error["cause"], error["count"]),
                                     ("verify", words, 1))

    def test_the_server_heard_no_request_of_them(self):
        server = self.servers["certificate expired"]
        before = weftlib.status(server)["counters"]["streams_incoming"]
        self.get("--cacert", self.files.ca, "--count", "3", f"{server.url}/hello", code=3)
        self.assertEqual(weftlib.status(server)["counters"]["streams_incoming"], before + 1)

    def test_insecure_accepts_them_and_warns_once_a_connection(self):
        for loop, backend in weftlib.pairs():
            for words, server in self.servers.items():
                with self.subTest(words, loop=loop, tls=backend):
                    done = self.get("--event", loop, "--tls", backend, "--cacert", self.files.ca,
                                    "--insecure", "--count", "3", f"{server.url}/hello", code=0)
                    self.assertEqual(done.stdout, "Hello, World\n" * 3)
                    off, fault = done.stderr.splitlines()
                    self.assertRegex(off, rf" warn 127.0.0.1:{server.port}: certificate checks "
                                          "switched off: expired, .*wrong host")
                    self.assertTrue(fault.endswith(f": {words}"), fault)

    def test_insecure_warns_even_if_nothing_is_wrong(self):
        done = self.get("--cacert", self.files.ca, "--insecure", f"{self.good.url}/hello", code=0)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("certificate checks switched off", done.stderr)

    def test_a_fault_outweighs_other_failures(self):
        server = self.servers["certificate expired"]
        done = self.get("--json", "--cacert", self.files.ca, f"{server.url}/hello",
                        f"{self.good.url}/hello", "http://none.invalid/", code=3)
        report = json.loads(done.stdout)
        self.assertEqual((report["ok"], report["failed"]), (1, 2))
        self.assertEqual({e["status"] for e in report["errors"]}, {"verify", "resolve"})


if __name__ == "__main__":
    weftlib.main()
