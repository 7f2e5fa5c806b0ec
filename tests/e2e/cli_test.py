# SPDX-License-Identifier: MIT
"""The weft command's own manners: help, usage errors of `weft get`, failures, stories, progress."""
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from cases import GetCase, Peer  # noqa: E402
from weftlib import weft  # noqa: E402


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
                   "data-file header explain json proxy",
        }
        for command, names in options.items():
            done = weft(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for name in names.split():
                self.assertRegex(done.stdout, rf"(?m)^  --{name} .*\w", f"{command} --{name}")
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 100, line)


class Usage(GetCase):
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


class Failures(GetCase):
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
                    out, err = client.communicate(timeout=weftlib.SECONDS)
            return client.returncode, out, err

    def test_signals_end_it(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            code, out, err = self.interrupted(sig, "--json")
            self.assertEqual((code, err), (130, ""))
            report = json.loads(out)
            self.assertEqual((report["requests"], report["ok"], report["failed"]), (1, 0, 1))

    def test_signals_end_it_while_standard_input_says_nothing(self):
        read, write = os.pipe()
        self.addCleanup(os.close, write)
        with open(read, "rb") as stdin:
            code, _, _ = self.interrupted(signal.SIGINT, "--data-file", "-", stdin=stdin)
        self.assertEqual(code, 130)


class Explanations(GetCase):
    def told(self, *arguments, code=0):
        done = self.get("--explain", *arguments, code=code)
        return done.stdout, done.stderr

    def test_each_request_has_its_story(self):
        with weftlib.serve() as server:
            url = f"{server.url}/hello"
            out, story = self.told("--count", "2", url)
            self.assertEqual(out, "Hello, World\n" * 2)
            self.assertEqual(story.count(f"{url}\n"), 2)
            self.assertEqual(story.count("sent on connection 1, made for this, after "), 1)
            self.assertRegex(story, r"(?m)^  \+\d+ ms: connected: name \d+ ms, connect \d+ ms$")
            self.assertRegex(story, r"(?m)^  \+\d+ ms: sent on connection 1, reused: it was idle "
                                    r"for \d+ ms; after \d+ ms in the queue$")
            self.assertEqual(len(re.findall(r"(?m)^  \+\d+ ms: complete$", story)), 2)

    def test_all_requests_together_have_their_figures(self):
        with weftlib.serve() as server:
            _, story = self.told("--count", "3", f"{server.url}/hello")
            self.assertIn("\nconnections: 1 tried, 1 opened, 0 failed before they carried a "
                          "request\nrequests on a connection that was there already: 2; on one "
                          "connection: at most 3\nTLS handshakes: 0 full, 0 resumed, 0 failed\n",
                          story)
            self.assertRegex(story, r"\nin the queue: \d+ ms together, \d+ ms at most; 0 gave up\n"
                                    r"tried again: 0; warm connections that were stale: 0\n\Z")

    def test_a_failure_has_one_too(self):
        url = self.refused_url()
        _, story = self.told(url, code=1)
        self.assertIn("connection 1 failed (refused)", story)
        self.assertRegex(story, r"(?m)^  \+\d+ ms: failed \(refused\)$")

    def test_it_leaves_the_figures_alone(self):
        with weftlib.serve() as server:
            out, story = self.told("--json", f"{server.url}/hello")
            self.assertEqual(json.loads(out)["ok"], 1)
            self.assertIn("complete\n", story)


class Progress(GetCase):
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


if __name__ == "__main__":
    weftlib.main()
