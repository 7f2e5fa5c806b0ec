# SPDX-License-Identifier: MIT
"""`weft serve`: its options and exit codes, its listeners, its routes, and its end."""
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from cases import ServeCase, everywhere, variants  # noqa: E402
from weftlib import weft  # noqa: E402


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class Usage(ServeCase):
    def assert_refuses(self, code, arguments, *words):
        with self.subTest(" ".join(map(str, arguments))):
            done = weft("serve", *arguments)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            self.assertRegex(done.stderr, r"\Aweft serve: .*\n\Z")
            for word in words:
                self.assertIn(word, done.stderr)

    def test_options_that_are_wrong(self):
        for arguments, *words in (
                (["--nonsense"], "unknown option --nonsense", "weft serve --help"),
                (["--listen"], "--listen", "needs a value"),
                (["--self-signed=yes"], "takes no value"),
                (["folder"], '"folder"'),
                (["--log", "loud"], '"loud"', "error, warn, info, debug"),
                (["--listen", "nonsense"], '"nonsense"', "http://ADDR:PORT"),
                (["--listen", "tcp://127.0.0.1:0"], '"tcp://127.0.0.1:0"', "http://ADDR:PORT"),
                (["--listen", "http://"], "expected a host"),
                (["--listen", "http://127.0.0.1:99999"], "port"),
                (["--listen", "http://example.test:80"], '"example.test"', "127.0.0.1"),
                (["--listen", "unix:"], '"unix:"', "unix:PATH"),
                (["--listen", "http://127.0.0.1:0/path"], "/path", "http://ADDR:PORT"),
                (["--listen", "unix:/" + "x" * 200], "at most"),
                (["--listen", "https://127.0.0.1:0"], "--cert and --key, or --self-signed"),
                (["--cert", "some.pem"], "--cert and --key go together"),
                (["--key", "some.key"], "--cert and --key go together"),
                (["--self-signed", "--cert", "a", "--key", "b"], "--self-signed excludes"),
                (["--root", self.folder / "none"], f"--root {self.folder}/none", "No such file"),
                (["--root", __file__], "--root", "Not a directory"),
                (["--workers", "0"], "--workers", '"0"', "from 1 to 256"),
                (["--workers", "257"], '"257"'),
                (["--drain-seconds", "soon"], "--drain-seconds", '"soon"', "a number"),
                (["--max-conns", "-1"], "--max-conns", '"-1"'),
                (["--max-conns-per-address", "99999999999"], "--max-conns-per-address"),
                (["--heap-max", "1M"], "--heap-max", '"1M"'),
                (["--plugin-dir", "relative"], '"relative"')):
            self.assert_refuses(2, arguments, *words)

    def test_more_listeners_than_there_is_room_for(self):
        self.assert_refuses(2, ["--listen", "http://127.0.0.1:0"] * 33, "more than 32 listeners")

    def test_backends_that_are_not_there(self):
        self.assert_refuses(2, ["--event", "none-such"], '"none-such"', *weftlib.LOOPS)
        self.assert_refuses(2, ["--tls", "none-such"], '"none-such"', *weftlib.BACKENDS)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_certificates_that_cannot_be_used(self):
        files = weftlib.Certificates(self.folder)
        text = self.folder / "text.pem"
        text.write_text("certainly\n")
        none = self.folder / "none.pem"
        for backend in weftlib.BACKENDS:
            for cert, key, *words in (
                    (none, files.key, f"{none}: No such file"),
                    (files.cert, none, f"{none}: No such file"),
                    (self.folder, files.key, f"{self.folder}: ", "not a regular file"),
                    (text, files.key, str(text), "cannot be used"),
                    (files.cert, text, str(text), "cannot be used"),
                    (files.cert, files.ca_key, str(files.cert), str(files.ca_key))):
                self.assert_refuses(2, ["--tls", backend, "--cert", cert, "--key", key,
                                        "--listen", "https://127.0.0.1:0"], *words)

    def test_a_port_in_use_is_named(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop) as server:
                self.assert_refuses(1, ["--event", loop, "--listen", server.url],
                                    f"127.0.0.1:{server.port}", "in use")
                self.assertEqual(self.ask(self.connect(server))[0], 200)

    def test_one_listener_that_fails_leaves_none(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            path = self.folder / "socket"
            port = taken.getsockname()[1]
            self.assert_refuses(1, ["--listen", f"unix:{path}", "--listen",
                                    f"http://127.0.0.1:{port}"], f"127.0.0.1:{port}")
            self.assertFalse(path.exists())

    def test_an_address_of_another_machine(self):
        self.assert_refuses(1, ["--listen", "http://192.0.2.1:0"], "192.0.2.1")


class Listeners(ServeCase):
    def test_port_0_picks_free_ones(self):
        listen = ["http://127.0.0.1:0"] * 2
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, listen=listen) as server:
                ports = [int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)", url)[1])
                         for url in server.urls]
                self.assertNotIn(0, ports)
                self.assertNotEqual(*ports)
                for url in server.urls:
                    self.assertEqual(self.ask(self.connect(server, url))[2], b"Hello, World\n")

    def test_the_default_is_port_8080(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", 8080))
            except OSError:
                self.skipTest("port 8080 is taken on this machine")
        with weftlib.Program([weftlib.BIN, "serve"]) as server:
            self.assertEqual(server.url, "http://127.0.0.1:8080")
            self.assertEqual(self.ask(self.connect(server))[0], 200)
            self.close_all()

    @unittest.skipUnless(has_ipv6(), "this machine has no ::1")
    def test_ipv6(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, listen=["http://[::1]:0"]) as server:
                self.assertRegex(server.url, r"^http://\[::1\]:[1-9]\d*$")
                self.assertEqual(self.ask(self.connect(server))[2], b"Hello, World\n")
                done = weft("get", "--event", loop, f"{server.url}/hello")
                self.assertEqual((done.returncode, done.stdout), (0, "Hello, World\n"))

    @unittest.skipUnless(weftlib.BACKENDS and has_ipv6(), "no TLS, or no ::1")
    def test_several_of_all_kinds_at_once(self):
        listen = ["http://127.0.0.1:0", "https://127.0.0.1:0", "https://[::1]:0",
                  f"unix:{self.folder}/socket"]
        for loop, backend in weftlib.pairs():
            with self.serve("--event", loop, "--tls", backend, "--self-signed",
                               listen=listen) as server:
                self.assertEqual([re.sub(r"\d+$", "0", url) for url in server.urls], listen)
                for url in server.urls:
                    self.assertEqual(self.ask(self.connect(server, url))[2], b"Hello, World\n", url)
                self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 5)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_a_scheme_in_capitals_and_a_last_slash_are_the_same(self):
        with self.serve("--self-signed", listen=["HTTPS://127.0.0.1:0/"]) as server:
            self.assertTrue(server.url.startswith("https://"))
            self.assertEqual(self.ask(self.connect(server))[0], 200)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_a_self_signed_certificate_fits_the_addresses(self):
        with self.serve("--self-signed", listen=["https://127.0.0.1:0"]) as server:
            pem = weftlib.run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}").stdout
            names = weftlib.run("openssl", "x509", "-noout", "-ext", "subjectAltName",
                                "-fingerprint", "-sha256", input=pem, stdin=None).stdout
            for name in ("DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"):
                self.assertIn(name, names)
            told = re.search(r"SHA-256 ([0-9a-f]{64})\n", server.errors())[1]
            self.assertIn(told.upper(), names.replace(":", ""))
            (self.folder / "self.pem").write_text(pem)
            for backend in weftlib.BACKENDS:
                done = weft("get", "--tls", backend, "--cacert", self.folder / "self.pem",
                            f"https://localhost:{server.port}/hello")
                self.assertEqual((done.returncode, done.stdout), (0, "Hello, World\n"), done.stderr)


class UnixSockets(ServeCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "socket"

    def test_it_is_served_and_removed_at_the_end(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, listen=[f"unix:{self.path}"]) as server:
                self.assertEqual(server.url, f"unix:{self.path}")
                self.assertEqual(self.ask(self.connect(server))[2], b"Hello, World\n")
            self.assertFalse(self.path.exists())

    @unittest.skipUnless(shutil.which("curl"), "no curl")
    def test_curl_comes_in(self):
        with self.serve(listen=[f"unix:{self.path}"]):
            done = weftlib.run("curl", "--silent", "--unix-socket", self.path, "http://x/hello")
            self.assertEqual(done.stdout, "Hello, World\n")

    def test_a_relative_path(self):
        with self.serve(listen=["unix:socket"], cwd=self.folder) as server:
            self.assertEqual(server.url, "unix:socket")
            self.assertEqual(self.ask(self.connect(server, f"unix:{self.path}"))[0], 200)
        self.assertFalse(self.path.exists())

    def test_a_leftover_file_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(str(self.path))
            old.listen()
        with self.serve(listen=[f"unix:{self.path}"]) as server:
            self.assertEqual(self.ask(self.connect(server))[0], 200)
        self.assertFalse(self.path.exists())

    def refused(self, *words):
        done = weft("serve", "--listen", f"unix:{self.path}")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for word in (str(self.path), *words):
            self.assertIn(word, done.stderr)

    def test_one_that_is_listened_at_is_left_alone(self):
        with self.serve(listen=[f"unix:{self.path}"]) as server:
            self.refused("in use")
            self.assertEqual(self.ask(self.connect(server))[0], 200)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        self.path.write_text("precious")
        self.refused("in use")
        self.assertEqual(self.path.read_text(), "precious")


class Everywhere(ServeCase):
    """What holds for each loop, over plain HTTP and over each TLS backend."""

    @everywhere
    def test_hello(self, server):
        code, fields, body = self.ask(self.connect(server))
        self.assertEqual((code, body), (200, b"Hello, World\n"))
        self.assertEqual((fields["content-length"], fields["content-type"]), ("13", "text/plain"))

    @everywhere
    def test_bytes(self, server):
        sock = self.connect(server)
        code, fields, body = self.ask(sock, target="/bytes/1000000")
        self.assertEqual((code, fields["content-length"], len(body)), (200, "1000000", 1000000))
        self.assertEqual(self.ask(sock, target="/bytes/1000000")[2], body)
        self.assertEqual(self.ask(sock, target="/bytes/10?x=1")[2], body[:10])
        self.assertEqual(self.ask(sock, target="/bytes/0")[2], b"")
        code, fields, body = self.ask(sock, "HEAD", "/bytes/1000")
        self.assertEqual((code, fields["content-length"], body), (200, "1000", b""))
        for bad in ("", "x", "-1", "1x", "99999999999999999999"):
            self.assertEqual(self.ask(sock, target=f"/bytes/{bad}")[0], 400, bad)

    @everywhere
    def test_echo_answers_before_the_request_is_complete(self, server):
        sock = self.connect(server)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/x-any\r\n"
                     b"Content-Length: 9\r\n\r\none")
        response = http.client.HTTPResponse(sock)
        response.begin()
        self.assertEqual((response.headers["content-length"], response.headers["content-type"]),
                         ("9", "text/x-any"))
        self.assertEqual(response.read(3), b"one")
        for word in (b"two", b"end"):
            sock.sendall(word)
            self.assertEqual(response.read(3), word)
        self.assertEqual(self.ask(sock)[2], b"Hello, World\n")

    @everywhere
    def test_echo_of_chunks(self, server):
        sock = self.connect(server)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"3\r\none\r\n")
        response = http.client.HTTPResponse(sock)
        response.begin()
        self.assertEqual(response.headers["transfer-encoding"], "chunked")
        self.assertEqual(response.read(3), b"one")
        sock.sendall(b"3;x=y\r\ntwo\r\n")
        self.assertEqual(response.read(3), b"two")
        sock.sendall(b"0\r\nTrailer: yes\r\n\r\n")
        self.assertEqual(response.read(), b"")
        self.assertEqual(self.ask(sock)[2], b"Hello, World\n")

    @unittest.skipUnless(shutil.which("curl"), "no curl")
    @everywhere
    def test_echo_of_much(self, server):
        data = os.urandom(3000000)
        done = weftlib.run("curl", "--silent", "--insecure", "--data-binary", "@-", "--http1.1",
                           f"{server.url}/echo", stdin=None, input=data, text=False)
        self.assertEqual(hashlib.sha256(done.stdout).digest(), hashlib.sha256(data).digest())

    @everywhere
    def test_sigterm_lets_a_request_finish(self, server):
        sock, idle = self.connect(server), self.connect(server)
        self.ask(idle)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\none")
        response = http.client.HTTPResponse(sock)
        response.begin()
        self.assertEqual(response.read(3), b"one")
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(idle.recv(1), b"")  # at once, while the other goes on
        weftlib.wait_until(lambda: weftlib.is_refused(server), "new connections are refused")
        self.assertIsNone(server.process.poll())
        sock.sendall(b"two")
        self.assertEqual(response.read(), b"two")
        self.assertEqual(sock.recv(1), b"")
        self.close_all()
        self.assertEqual(server.wait(), 0, server.errors())

    @everywhere
    def test_sigterm_lets_a_download_finish(self, server):
        size = 20 << 20
        sock = self.connect(server)
        sock.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        got = len(response.read(100000))
        server.process.send_signal(signal.SIGTERM)
        weftlib.wait_until(lambda: weftlib.is_refused(server), "new connections are refused")
        while piece := response.read(1 << 20):
            got += len(piece)
        self.assertEqual(got, size)
        sock.close()
        self.assertEqual(server.wait(), 0, server.errors())

    def test_either_signal_ends_it_with_connections_that_are_idle(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            with contextlib.ExitStack() as stack:
                started = [stack.enter_context(self.serve(*arguments, listen=listen))
                           for _, arguments, listen in variants()]
                for server in started:
                    used, _silent, half = (self.connect(server) for _ in range(3))
                    half.sendall(b"GET /hel")
                    self.ask(used)
                    server.process.send_signal(sig)
                for server in started:
                    # far less than what requests under way are given
                    self.assertEqual(server.wait(15), 0, server.errors())


class End(ServeCase):
    def test_a_second_signal_ends_it_at_once(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop) as server:
                sock = self.connect(server)
                sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\none")
                http.client.HTTPResponse(sock).begin()
                server.process.send_signal(signal.SIGTERM)
                weftlib.wait_until(lambda: weftlib.is_refused(server), "it drains")
                self.assertEqual(server.stop(), 1)

    def test_the_last_response_of_a_connection_is_its_end(self):
        with self.serve() as server:
            sock = self.connect(server)
            sock.sendall(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
            self.assertEqual(self.response(sock)[0], 200)
            server.process.send_signal(signal.SIGTERM)
            weftlib.wait_until(lambda: weftlib.is_refused(server), "it drains")
            sock.sendall(b"end")
            self.assertEqual(sock.recv(1), b"")
            sock.close()
            self.assertEqual(server.wait(), 0)


class Status(ServeCase):
    def test_what_it_tells(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop) as server:
                sock = self.connect(server)
                code, fields, body = self.ask(sock, target="/status")
                self.assertEqual((code, fields["content-type"]), (200, "application/json"))
                self.assertTrue(body.endswith(b"}\n"))
                status = json.loads(body)
                self.assertEqual(set(status), {"version", "event", "tls", "conns", "streams",
                                               "vhosts", "vhost_events", "counters", "uptime", "workers",
                                               "worker", "limits", "per_worker", "queue", "roles",
                                               "connections"})
                self.assertEqual((status["event"], status["conns"], status["streams"]),
                                 (loop, 1, 1))
                self.assertEqual((status["queue"], status["roles"]),
                                 (0, {"h1": {"conns": 1, "streams": 1, "out_bytes": 0}}))
                conn, = status["connections"]
                self.assertEqual(conn, {
                    "id": conn["id"], "role": "h1", "phase": "open", "vhost": "localhost", "client": False,
                    "peer": "%s:%d" % sock.getsockname(), "streams": 1, "served": 1,
                    "out_bytes": 0, "blocked": False})
                _, _, body = self.ask(sock, target="/status")
                later, = json.loads(body)["connections"]
                self.assertEqual((later["id"], later["served"]), (conn["id"], 2))
                vhost, = status["vhosts"]
                self.assertEqual(set(vhost), {"name", "client", "state", "refs", "conns", "streams", "policies",
                                              "applications", "tls", "age_us", "made", "build_us",
                                              "heap_bytes"})
                self.assertEqual((vhost["name"], vhost["state"], vhost["conns"], vhost["client"]),
                                 ("localhost", "live", 1, False))
                # the rest is this very request
                self.assertEqual((vhost["applications"], vhost["refs"]), (1, 3))
                self.assertEqual(status["vhost_events"], [])  # it is no client
                self.assertLess({
                    "conns_accepted", "conns_refused", "conns_now", "handshakes_full", "handshakes_resumed",
                    "handshakes_failed", "streams_incoming", "streams_now", "streams_peak",
                    "streams_ok", "streams_failed", "bytes_in", "bytes_out", "timeouts",
                    "limits_hit", "heap_now", "heap_peak"}, set(status["counters"]))

    def test_it_counts_what_happened(self):
        with self.serve() as server:
            sock, other = self.connect(server), self.connect(server)
            self.ask(sock, target="/bytes/1000")
            self.ask(sock, "POST", "/echo", "Content-Length: 5\r\n", b"hello")
            self.ask(other, target="/none")
            counters = json.loads(self.ask(other, target="/status")[2])["counters"]
            self.assertEqual(
                [counters[key] for key in ("conns_accepted", "conns_now", "streams_incoming",
                                           "streams_ok", "streams_now", "streams_failed",
                                           "bytes_in")], [2, 2, 4, 3, 1, 0, 5])
            self.assertGreaterEqual(counters["bytes_out"], 1005)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_it_counts_handshakes(self):
        for backend in weftlib.BACKENDS:
            with self.serve("--tls", backend, "--self-signed",
                               listen=["https://127.0.0.1:0"]) as server:
                with socket.create_connection(("127.0.0.1", server.port), 10) as nonsense:
                    nonsense.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    while nonsense.recv(100):
                        pass
                status = json.loads(self.ask(self.connect(server), target="/status")[2])
                counters = status["counters"]
                self.assertEqual(status["tls"], backend)
                self.assertEqual((counters["handshakes_full"], counters["handshakes_failed"]),
                                 (1, 1))


if __name__ == "__main__":
    weftlib.main()
