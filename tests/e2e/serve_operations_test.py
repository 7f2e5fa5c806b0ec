# SPDX-License-Identifier: MIT
"""`weft serve` as its operator sees it: workers, limits, signals, and what is told about them."""
import contextlib
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
from cases import ServeCase, variants  # noqa: E402

WORKERS = 3


class OperationsCase(ServeCase):
    def told(self, server, url=None):
        """/status by a connection that is closed again."""
        sock = self.connect(server, url)
        status = json.loads(self.ask(sock, target="/status")[2])
        self.socks.remove(sock)
        sock.close()
        return status

    def spread(self, server, wanted=WORKERS, most=400):
        """Connections until so many workers have one each: the kernel deals them out by chance."""
        for _ in range(most):
            self.assertEqual(self.ask(self.connect(server))[2], b"Hello, World\n")
            if len(self.socks) % 10 == 0:
                status = self.told(server)
                if sum(w["conns_accepted"] > 0 for w in status["per_worker"]) == wanted:
                    return
        self.fail(f"{most} connections, and not one for each worker: {status}")


class Workers(OperationsCase):
    def test_they_share_the_addresses_and_their_counters_add_up(self):
        for _, arguments, listen in variants():
            with self.serve(*arguments, "--workers", WORKERS, listen=listen * 2) as server:
                self.spread(server)
                held = len(self.socks)
                for worker in range(2 * WORKERS):
                    status = self.told(server, server.urls[worker % 2])
                    self.assertEqual((status["workers"], len(status["per_worker"])),
                                     (WORKERS, WORKERS))
                    self.assertEqual(status["counters"]["conns_accepted"],
                                     sum(w["conns_accepted"] for w in status["per_worker"]))
                    self.assertEqual(status["counters"]["streams_incoming"],
                                     sum(w["streams_incoming"] for w in status["per_worker"]))
                    self.assertGreater(status["conns"], held)
                    self.assertGreaterEqual(status["counters"]["streams_ok"], held)

    def test_each_of_them_can_be_asked(self):
        with self.serve("--workers", WORKERS) as server:
            self.spread(server)
            seen = {json.loads(self.ask(sock, target="/status")[2])["worker"]
                    for sock in self.socks}
            self.assertEqual(seen, set(range(WORKERS)))

    def test_they_know_each_others_tickets(self):
        backends = [b for b in weftlib.BACKENDS if "resume" in weftlib.caps("tls", b)]
        if not backends:
            self.skipTest("no TLS backend that resumes sessions")
        for backend in backends:
            with self.serve("--tls", backend, "--self-signed", "--workers", WORKERS,
                            listen=["https://127.0.0.1:0"]) as server:
                first = self.connect(server)
                self.ask(first)  # the tickets come behind the handshake
                # under the context that has the ticket, or it could not be used
                for _ in range(20):
                    sock = first.context.wrap_socket(
                        socket.create_connection(("127.0.0.1", server.port), weftlib.SECONDS),
                        session=first.session)
                    self.socks.append(sock)
                    self.ask(sock)
                    self.assertTrue(sock.session_reused)
                status = self.told(server)
                self.assertEqual(status["counters"]["handshakes_resumed"], 20)
                self.assertGreater(sum(w["conns_accepted"] > 0 for w in status["per_worker"]), 1)

    def test_a_unix_socket_belongs_to_the_first(self):
        path = self.folder / "socket"
        listen = ["http://127.0.0.1:0", f"unix:{path}"]
        with self.serve("--workers", WORKERS, listen=listen) as server:
            self.assertEqual(server.urls[1], f"unix:{path}")
            for _ in range(10):
                self.assertEqual(self.told(server, server.urls[1])["worker"], 0)
        self.assertFalse(path.exists())

    def test_sigterm_lets_all_of_them_finish(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, "--workers", WORKERS) as server:
                self.spread(server)
                responses = []
                for sock in self.socks:
                    sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\none")
                    responses.append(http.client.HTTPResponse(sock))
                    responses[-1].begin()
                server.process.send_signal(signal.SIGTERM)
                weftlib.wait_until(lambda: weftlib.is_refused(server), "none of them listens any more")
                for sock in self.socks:
                    sock.sendall(b"two")
                for response in responses:
                    self.assertEqual(response.read(), b"onetwo")
                self.close_all()
                self.assertEqual(server.wait(), 0, server.errors())

    def test_an_address_that_is_taken_ends_all_of_them(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = weftlib.weft("serve", "--workers", WORKERS, "--listen", "http://127.0.0.1:0",
                                "--listen", f"http://127.0.0.1:{port}")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f"127.0.0.1:{port}", done.stderr)


class Limits(OperationsCase):
    def refused(self, server, source="127.0.0.1"):
        """Whether a new connection from there is closed without an answer."""
        with contextlib.closing(socket.socket()) as sock:
            sock.settimeout(weftlib.SECONDS)
            sock.bind((source, 0))
            try:
                sock.connect(("127.0.0.1", server.port))
                sock.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return not sock.recv(1)
            except (ConnectionResetError, BrokenPipeError):
                return True

    def test_more_connections_than_allowed_are_refused_at_once(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, "--max-conns", 3) as server:
                held = [self.connect(server) for _ in range(3)]
                for sock in held:
                    self.ask(sock)
                for _ in range(5):
                    self.assertTrue(self.refused(server))
                status = json.loads(self.ask(held[0], target="/status")[2])
                self.assertEqual((status["counters"]["conns_refused"], status["conns"],
                                  status["limits"]["conns_max"]), (5, 3, 3))
                # at most one line a second, and the first at once
                lines = re.findall("warn (.*) refused: .*conns_max", server.errors())
                self.assertEqual(lines[0], "1 connection")
                held[2].close()
                weftlib.wait_until(lambda: not self.refused(server), "there is room again")

    def test_one_address_does_not_take_the_place_of_others(self):
        with self.serve("--max-conns-per-address", 2) as server:
            for sock in (self.connect(server), self.connect(server)):
                self.ask(sock)
            self.assertTrue(self.refused(server))
            self.assertFalse(self.refused(server, "127.0.0.2"))
            self.assertTrue(self.refused(server))
            self.assertIn("conns_per_address", server.errors())

    def test_without_memory_new_connections_are_refused_and_old_ones_served(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, "--heap-max", 600000) as server:
                first = self.connect(server)
                self.ask(first)
                for _ in range(800):
                    with contextlib.suppress(ConnectionResetError):
                        self.connect(server)

                def refusals():
                    status = json.loads(self.ask(first, target="/status")[2])
                    self.assertLessEqual(status["counters"]["heap_now"], 600000)
                    return status["counters"]["conns_refused"]
                weftlib.wait_until(refusals, "connections are refused")
                self.assertEqual(self.ask(first, target="/bytes/100000")[0], 200)
                self.assertIn("heap_max", server.errors())
                self.socks.remove(first)
                self.close_all()
                self.socks.append(first)
                weftlib.wait_until(lambda: not self.refused(server), "there is room again")

    def test_memory_that_is_not_enough_to_begin_with(self):
        done = weftlib.weft("serve", "--heap-max", 1000, "--listen", "http://127.0.0.1:0")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no memory", done.stderr)


class Signals(OperationsCase):
    def half(self, server):
        """An exchange that does not end by itself."""
        sock = self.connect(server)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\none")
        response = http.client.HTTPResponse(sock)
        response.begin()
        return sock

    def test_what_does_not_end_in_time_is_cut(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop, "--workers", 2, "--drain-seconds", 1) as server:
                sock = self.half(server)
                self.assertEqual(server.stop(), 0, server.errors())
                self.assertIn("the deadline came: 1 connections and 1 streams are cut",
                              server.errors())
                with self.assertRaises(ConnectionResetError):
                    while sock.recv(100):
                        pass

    def test_draining_is_logged(self):
        with self.serve("--log", "info") as server:
            self.half(server)
            server.process.send_signal(signal.SIGTERM)
            weftlib.wait_until(lambda: weftlib.is_refused(server), "it drains")
            self.close_all()
            self.assertEqual(server.wait(), 0, server.errors())
            self.assertRegex(server.errors(), r"info draining \d connections with 1 streams, "
                                              "deadline 30000 ms\n")
            self.assertRegex(server.errors(), "info drained\n")

    def test_a_hangup_does_not_end_it_not_even_before_it_is_up(self):
        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

        for workers in (1, WORKERS):
            with self.serve("--workers", workers, preexec_fn=block) as server:
                for _ in range(3):
                    server.process.send_signal(signal.SIGHUP)
                    self.assertEqual(self.ask(self.connect(server))[2], b"Hello, World\n")


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class Reload(OperationsCase):
    def leaf(self, server):
        """The certificate that a new connection gets, in DER."""
        sock = self.connect(server)
        der = sock.getpeercert(binary_form=True)
        self.ask(sock)
        self.socks.remove(sock)
        sock.close()
        return der

    def all_leaves(self, server):
        """Of so many connections that each worker has had some."""
        return {self.leaf(server) for _ in range(20)}

    def test_sighup_has_all_workers_read_certificate_and_key_again(self):
        files = weftlib.Certificates(self.folder)
        cert, key = files.issue("other", "DNS:localhost,IP:127.0.0.1")
        for loop, backend in weftlib.pairs():
            now_cert, now_key = self.folder / "now.pem", self.folder / "now.key"
            shutil.copy(files.cert, now_cert)
            shutil.copy(files.key, now_key)
            with self.serve("--event", loop, "--tls", backend, "--cert", now_cert, "--key",
                            now_key, "--workers", 2, "--log", "info",
                            listen=["https://127.0.0.1:0"]) as server:
                old = self.leaf(server)
                held = self.connect(server)
                self.ask(held)
                # a key that is not the certificate's: told once, and nothing changes
                shutil.copy(key, now_key)
                server.process.send_signal(signal.SIGHUP)
                weftlib.wait_until(lambda: "reload: " in server.errors(), "the mistake is told")
                self.assertEqual(self.all_leaves(server), {old})
                self.assertEqual(server.errors().count("reload: "), 1)
                self.assertIn(str(now_cert), server.errors())
                shutil.copy(cert, now_cert)
                server.process.send_signal(signal.SIGHUP)
                weftlib.wait_until(lambda: server.errors().count("were read again") == 2,
                                   "both workers have the new one")
                new, = self.all_leaves(server)
                self.assertNotEqual(new, old)
                self.assertEqual(self.ask(held)[0], 200)


if __name__ == "__main__":
    weftlib.main()
