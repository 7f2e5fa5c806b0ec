# SPDX-License-Identifier: MIT
"""Every minimal example does what its README says, with curl, weft and plain sockets as peers."""
import hashlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

PROGRAMS = weftlib.BUILD / "bin"
if not (PROGRAMS / "http-server").exists():
    weftlib.skip_all("this build has no examples (WEFT_BUILD_EXAMPLES=OFF)")


def start(name, *arguments):
    return weftlib.Program([PROGRAMS / name, *arguments])


def curl(*arguments):
    return weftlib.run("curl", "--silent", "--show-error", "--max-time", "30", *arguments)


def receive_all(sock):
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def connect(self, port):
        sock = socket.create_connection(("127.0.0.1", port), timeout=weftlib.SECONDS)
        self.addCleanup(sock.close)
        return sock

    def assert_ends_by(self, sig, name, *arguments):
        with start(name, *arguments) as program:
            self.assertEqual(program.stop(sig), 0, program.errors())

    def assert_refuses(self, code, text, name, *arguments):
        done = weftlib.run(PROGRAMS / name, *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)


class RawEcho(Case):
    def test_bytes_come_back_and_the_end_after_them(self):
        sent = os.urandom(200000)
        with start("raw-echo", "0") as server:
            self.assertEqual(server.url, f"tcp://127.0.0.1:{server.port}")
            sock = self.connect(server.port)
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(sock), sent)

    def test_an_end_without_a_byte_is_answered_by_an_end(self):
        with start("raw-echo", "0") as server:
            sock = self.connect(server.port)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(sock), b"")

    def test_a_peer_that_does_not_read_is_held_and_loses_nothing(self):
        block, most = os.urandom(65536), 256 << 20
        sent, digest = 0, hashlib.sha256()
        with start("raw-echo", "0") as server:
            sock = self.connect(server.port)
            sock.setblocking(False)
            # both kernels' buffers and Weft's own fill up, and then nothing is taken any more
            while sent < most and select.select([], [sock], [], 2)[1]:
                n = sock.send(block)
                digest.update(block[:n])
                sent += n
            self.assertLess(sent, most)
            sock.settimeout(weftlib.SECONDS)
            got = hashlib.sha256()
            left = sent
            while left:
                piece = sock.recv(min(left, 1 << 20))
                self.assertTrue(piece, f"{left} of {sent} bytes are missing")
                got.update(piece)
                left -= len(piece)
            self.assertEqual(got.digest(), digest.digest())
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(sock), b"")

    def test_connections_do_not_mix(self):
        with start("raw-echo", "0") as server:
            socks = [self.connect(server.port) for _ in range(40)]
            for i, sock in enumerate(socks):
                sock.sendall(b"%d " % i * 1000)
            for sock in reversed(socks):
                sock.shutdown(socket.SHUT_WR)
            for i, sock in enumerate(socks):
                self.assertEqual(receive_all(sock), b"%d " % i * 1000)

    def test_signals_end_it_with_a_connection_open(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with start("raw-echo", "0") as server:
                sock = self.connect(server.port)
                sock.sendall(b"x")
                self.assertEqual(sock.recv(1), b"x")
                self.assertEqual(server.stop(sig), 0, server.errors())

    def test_a_taken_port_is_refused(self):
        with start("raw-echo", "0") as server:
            self.assert_refuses(1, f"127.0.0.1:{server.port}", "raw-echo", server.port)

    def test_a_bad_port_is_refused(self):
        self.assert_refuses(1, "nonsense", "raw-echo", "nonsense")


class HttpServer(Case):
    def test_routes_answer(self):
        with start("http-server", "0") as server:
            self.assertEqual(curl(f"{server.url}/hello").stdout, "Hello, World\n")
            answer = curl("-A", "tester", "-X", "PUT", f"{server.url}/request?x=1").stdout
            self.assertRegex(answer, r"^PUT /request\?x=1\nfrom 127\.0\.0\.1:\d+\nby tester\n$")
            done = weftlib.weft("get", f"{server.url}/hello")
            self.assertEqual((done.returncode, done.stdout), (0, "Hello, World\n"), done.stderr)

    def test_what_is_not_there_is_404(self):
        with start("http-server", "0") as server:
            done = curl("-o", os.devnull, "-w", "%{http_code}", f"{server.url}/other")
            self.assertEqual(done.stdout, "404")

    def test_a_directory_is_served_but_for_the_routes(self):
        content = os.urandom(300000)
        (self.folder / "data.bin").write_bytes(content)
        (self.folder / "hello").write_text("hidden by the route")
        with start("http-server", "0", self.folder) as server:
            copy = self.folder / "copy"
            self.assertEqual(curl("-o", copy, f"{server.url}/data.bin").returncode, 0)
            self.assertEqual(copy.read_bytes(), content)
            self.assertEqual(curl(f"{server.url}/hello").stdout, "Hello, World\n")
            head = curl("-I", f"{server.url}/data.bin").stdout.lower()
            self.assertIn("content-length: 300000", head)

    def test_signals_end_it(self):
        self.assert_ends_by(signal.SIGINT, "http-server", "0")
        self.assert_ends_by(signal.SIGTERM, "http-server", "0")


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class HttpsServer(Case):
    def setUp(self):
        super().setUp()
        self.files = weftlib.Certificates(self.folder)

    def test_the_answer_tells_what_was_agreed(self):
        with start("https-server", self.files.cert, self.files.key, "0") as server:
            url = f"https://localhost:{server.port}/"
            done = curl("--cacert", self.files.ca, url)
            self.assertRegex(done.stdout, r"^TLS 1\.[23], \S+\nprotocol \S+\nname localhost\n$", done)

    def test_each_backend_of_the_client_trusts_it(self):
        with start("https-server", self.files.cert, self.files.key, "0") as server:
            for backend in weftlib.BACKENDS:
                done = weftlib.weft("get", "--tls", backend, "--cacert", self.files.ca,
                                    f"https://localhost:{server.port}/")
                self.assertEqual(done.returncode, 0, f"{backend}: {done.stderr}")
                self.assertIn("name localhost\n", done.stdout)

    def test_a_client_without_the_ca_refuses(self):
        with start("https-server", self.files.cert, self.files.key, "0") as server:
            self.assertEqual(curl(server.url).returncode, 60)  # curl: peer failed verification

    def test_files_that_do_not_fit_are_refused(self):
        self.assert_refuses(1, "nowhere.pem", "https-server", "nowhere.pem", self.files.key, "0")
        self.assert_refuses(1, "tls:", "https-server", self.files.cert, self.files.ca_key, "0")
        self.assert_refuses(2, "usage:", "https-server", self.files.cert)

    def test_signals_end_it(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            self.assert_ends_by(sig, "https-server", self.files.cert, self.files.key, "0")


class HttpClient(Case):
    def counters(self, server, *arguments):
        done = curl(*arguments, f"{server.url}/status")
        return json.loads(done.stdout)["counters"]

    def test_requests_share_one_connection(self):
        with weftlib.serve() as server:
            urls = [f"{server.url}/hello"] * 6 + [f"{server.url}/none"]
            done = weftlib.run(PROGRAMS / "http-client", *urls)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.count("/hello: 200 OK\nHello, World\n"), 6)
            self.assertIn("/none: 404 Not Found\n", done.stdout)
            self.assertTrue(done.stdout.endswith("7 requests, 0 failed, 1 connections opened\n"))
            # the server's word for it: that one, and the one that asks
            self.assertEqual(self.counters(server)["conns_accepted"], 2)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_requests_share_one_tls_session(self):
        files = weftlib.Certificates(self.folder)
        with weftlib.serve("--cert", files.cert, "--key", files.key,
                           listen=["https://127.0.0.1:0"]) as server:
            done = weftlib.run(PROGRAMS / "http-client", "--cacert", files.ca,
                               *[f"{server.url}/hello"] * 5)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.endswith("5 requests, 0 failed, 1 connections opened\n"))
            counters = self.counters(server, "--cacert", files.ca)
            self.assertEqual(counters["handshakes_full"] + counters["handshakes_resumed"], 2)

    def test_one_that_fails_leaves_the_others_alone(self):
        with socket.socket() as closed, weftlib.serve() as server:
            closed.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
            dead = f"http://127.0.0.1:{closed.getsockname()[1]}/"
            done = weftlib.run(PROGRAMS / "http-client", f"{server.url}/hello", dead, "nonsense")
            self.assertEqual(done.returncode, 1)
            self.assertIn("Hello, World\n", done.stdout)
            self.assertIn("3 requests, 2 failed", done.stdout)
            self.assertIn(f"{dead}: ", done.stderr)
            self.assertIn("nonsense: ", done.stderr)

    def test_signals_give_up_what_waits(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with socket.create_server(("127.0.0.1", 0)) as silent:
                silent.settimeout(weftlib.SECONDS)
                url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
                with subprocess.Popen([PROGRAMS / "http-client", url], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) as client:
                    peer, _ = silent.accept()
                    peer.settimeout(weftlib.SECONDS)
                    self.assertTrue(peer.recv(1))  # its request: the connection is up
                    client.send_signal(sig)
                    out, err = client.communicate(timeout=weftlib.SECONDS)
                    peer.close()
                self.assertEqual(client.returncode, 1, err)
                self.assertIn("1 connections opened", out)


@unittest.skipUnless("libevent" in weftlib.LOOPS, "a build without the loop libevent")
class ForeignLoop(Case):
    after = "tick after Weft\n" * 3

    def test_the_loop_goes_on_after_the_request(self):
        with weftlib.serve() as server:
            done = weftlib.run(PROGRAMS / "foreign-loop", f"{server.url}/hello")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Hello, World\nstatus 200\n", done.stdout)
        self.assertTrue(done.stdout.endswith(self.after), done.stdout)

    def test_the_loop_goes_on_after_a_failure(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            done = weftlib.run(PROGRAMS / "foreign-loop",
                               f"http://127.0.0.1:{closed.getsockname()[1]}/")
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused", done.stderr)
        self.assertTrue(done.stdout.endswith(self.after), done.stdout)

    def started(self, listener):
        """The program with its request accepted, and a terminal that shows each line at once."""
        master, slave = os.openpty()
        program = subprocess.Popen(
            [PROGRAMS / "foreign-loop", f"http://127.0.0.1:{listener.getsockname()[1]}/"],
            stdin=subprocess.DEVNULL, stdout=slave)
        os.close(slave)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        terminal = os.fdopen(master, "rb", buffering=0)
        self.addCleanup(terminal.close)
        listener.settimeout(weftlib.SECONDS)
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        self.assertIn(b"tick with Weft", terminal.read(200))
        return program, peer

    def test_the_applications_events_run_beside_the_request(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            program, peer = self.started(listener)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            self.assertEqual(program.wait(weftlib.SECONDS), 0)

    def test_signals_end_it_with_the_request_under_way(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                program, _ = self.started(listener)
                program.send_signal(sig)
                self.assertEqual(program.wait(weftlib.SECONDS), 1)


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class PolicyStatic(Case):
    def test_it_goes_where_its_policy_says_and_believes_nobody_else(self):
        if not (PROGRAMS / "policy-static").exists():
            self.skipTest("a build without the command that compiles policies")
        done = weftlib.run(PROGRAMS / "policy-static", "127.0.0.1")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("before: 0 vhosts with parsed certificates", done.stdout)
        self.assertTrue(done.stderr)
        self.assert_refuses(2, "usage: policy-static HOST", "policy-static")

    def test_metadata_that_may_not_go_into_a_host_is_refused(self):
        if not (PROGRAMS / "policy-static").exists():
            self.skipTest("a build without the command that compiles policies")
        self.assert_refuses(1, "endpoint", "policy-static", "a/b")


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class PolicyManyClouds(Case):
    def setUp(self):
        super().setUp()
        if not (PROGRAMS / "policy-many-clouds").exists():
            self.skipTest("a build without the loader")
        script = weftlib.SOURCE / "minimal-examples" / "policy-many-clouds" / "make-policy"
        self.assertEqual(weftlib.run(script, self.folder, "1").returncode, 0)
        self.policy = self.folder / "policy.json"
        self.content = json.loads(self.policy.read_text())

    def serve(self):
        """A server for each cloud, wherever there is a port."""
        for n in range(1, 9):
            server = self.enterContext(weftlib.serve(
                "--cert", self.folder / f"cloud{n}.pem", "--key", self.folder / f"cloud{n}.key",
                listen=["https://127.0.0.1:0"]))
            self.content["streams"][f"cloud{n}"]["port"] = server.port
        self.policy.write_text(json.dumps(self.content))

    def visit(self):
        # what the C library keeps at hand for itself counts as used
        plain = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
        return weftlib.run(PROGRAMS / "policy-many-clouds", self.policy, env=plain)

    def test_the_heap_is_back_where_it_was_when_the_last_stream_is_gone(self):
        self.serve()
        done = self.visit()
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = re.findall(r"(.*?) +(\d+) vhosts, +([\d.]+) KiB", done.stdout)
        self.assertEqual([int(live) for _, live, _ in lines], [0] + 8 * [1] + [0, 8, 0])
        heap = {when: float(kib) for when, _, kib in lines}
        if heap["nobody connects"]:  # a sanitizer's heap is not the C library's
            self.assertLessEqual(abs(heap["after all"] - heap["after each in turn"]), 8.0, done.stdout)
            self.assertGreater(heap["all at once"], heap["after all"])

    def test_a_cloud_with_the_certificate_of_another_is_not_believed(self):
        self.serve()
        streams = self.content["streams"]
        streams["cloud2"]["port"] = streams["cloud1"]["port"]
        self.policy.write_text(json.dumps(self.content))
        done = self.visit()
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line.partition(":")[0] for line in done.stderr.splitlines()], ["cloud2", "cloud2"])
        self.assertIn("certificate", done.stderr)

    def test_a_policy_that_is_wrong_is_told_with_its_place(self):
        self.policy.write_text('{ "schema_version": 1, "streams": { "a": { "endpont": "x" } } }')
        self.assert_refuses(1, f"{self.policy}:1:", "policy-many-clouds", self.policy)
        self.assert_refuses(2, "usage", "policy-many-clouds")


if __name__ == "__main__":
    weftlib.main()
