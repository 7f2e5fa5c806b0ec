# SPDX-License-Identifier: MIT
"""OpenSSL's command as a client of `weft serve`, and as a server for `weft get`."""
import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")
if not shutil.which("openssl"):
    weftlib.skip_all("no openssl on this machine")

OLD = ["-cipher", "DEFAULT@SECLEVEL=0"]  # without it OpenSSL itself has nothing below TLS 1.2
REQUEST = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_REQUEST = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.files = weftlib.Certificates(cls.folder)

    def versions(self, backend):
        """(option of openssl, its name for the version, whether the backend can it)."""
        for option, name, cap in (("-tls1_2", "TLSv1.2", "tls1.2"), ("-tls1_3", "TLSv1.3", "tls1.3")):
            yield option, name, cap in weftlib.caps("tls", backend)


class Server(Case):
    def servers(self, *arguments):
        for loop, backend in weftlib.pairs():
            with weftlib.serve("--event", loop, "--tls", backend, "--cert", self.files.cert,
                               "--key", self.files.key, *arguments,
                               listen=["https://127.0.0.1:0"]) as server:
                yield server, backend

    def client(self, server, *arguments):
        return weftlib.Talk("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                            "-CAfile", self.files.ca, *arguments)

    def still_serves(self, server):
        with self.client(server, "-ign_eof") as client:
            client.say(LAST_REQUEST)
            self.assertIn("Hello, World", client.rest())

    def test_versions(self):
        for server, backend in self.servers():
            for option, name, can in self.versions(backend):
                with self.client(server, option, "-ign_eof") as client:
                    if not can:
                        self.assertRegex(client.rest(), "alert (protocol version|handshake failure)")
                        continue
                    client.until(f"New, {name}, Cipher is")
                    client.say(LAST_REQUEST)
                    self.assertIn("Hello, World", client.rest())

    def test_old_versions_are_refused(self):
        for server, _ in self.servers():
            for option in ("-tls1", "-tls1_1"):
                with self.client(server, option, *OLD) as client:
                    self.assertIn("alert protocol version", client.rest())
            self.still_serves(server)

    def test_the_chain_is_verified(self):
        for server, _ in self.servers():
            for name in (["-servername", "localhost", "-verify_hostname", "localhost"],
                         ["-noservername", "-verify_ip", "127.0.0.1"],
                         ["-servername", "unknown.test"]):
                with self.client(server, *name, "-verify_return_error") as client:
                    client.until(r"Verify return code: 0 \(ok\)")
                    self.assertIn("subject=CN = localhost", client.text)

    def test_protocols_are_negotiated(self):
        for server, _ in self.servers():
            for offer, taken in (
                    ("http/1.1", "http/1.1"), ("http/1.1,nonsense", "http/1.1"),
                    ("nonsense,http/1.1", "http/1.1"), ("h2", "h2"), ("http/1.1,h2", "h2")):
                with self.client(server, "-alpn", offer) as client:
                    client.until(f"ALPN protocol: {taken}\n")
            with self.client(server, "-alpn", "nonsense") as client:
                self.assertIn("alert no application protocol", client.rest())
            with self.client(server) as client:
                client.until("No ALPN negotiated")

    def test_renegotiation_is_refused(self):
        for server, backend in self.servers():
            if "tls1.2" not in weftlib.caps("tls", backend):
                continue
            with self.client(server, "-tls1_2") as client:
                client.say(REQUEST)
                client.until("Hello, World\n")
                client.say("R\n")
                client.until("RENEGOTIATING")
                self.assertIn("no renegotiation", client.rest())
            self.still_serves(server)

    def test_keys_may_be_updated(self):
        for server, backend in self.servers():
            if "tls1.3" not in weftlib.caps("tls", backend):
                continue
            for command in ("k\n", "K\n"):  # ours alone, and the peer's too
                with self.client(server, "-tls1_3") as client:
                    client.until("Verify return code")
                    client.say(command)
                    client.until("KEYUPDATE")
                    client.say(LAST_REQUEST)
                    client.until("Hello, World\n")

    def test_the_end_is_announced(self):
        for server, _ in self.servers():
            with self.client(server, "-msg", "-ign_eof") as client:
                client.say(LAST_REQUEST)
                client.until(r"(?s)Hello, World.*<<< [^\n]*warning close_notify.*closed")

    def test_the_peers_end_is_answered(self):
        for server, _ in self.servers():
            with self.client(server) as client:
                client.say(REQUEST)
                client.until("Hello, World\n")
                client.process.stdin.close()  # sends close_notify
                # a ticket that came with the data may be told behind it
                self.assertIn("DONE\n", client.rest())

            def gone():
                return weftlib.status(server)["conns"] == 1
            weftlib.wait_until(gone, "the connection ends")

    def sessions(self, backend):
        """(option, name) of the versions that the backend can resume sessions of."""
        if "resume" not in weftlib.caps("tls", backend):
            self.skipTest(f"{backend} cannot resume sessions")
        return [v[:2] for v in self.versions(backend) if v[2]]

    def talk_once(self, server, *arguments):
        """What the client tells of a connection with one request."""
        with self.client(server, *arguments, "-ign_eof") as client:
            client.say(LAST_REQUEST)
            self.assertIn("Hello, World", client.rest())
            return client.text

    def test_a_session_is_resumed(self):
        for server, backend in self.servers():
            sessions = self.sessions(backend)
            for option, name in sessions:
                store = self.folder / f"session{option}"
                self.assertIn(f"New, {name}", self.talk_once(server, option, "-sess_out", store))
                for _ in range(2):
                    self.assertIn(f"Reused, {name}",
                                  self.talk_once(server, option, "-sess_in", store))
                store.unlink()
            counters = weftlib.status(server)["counters"]
            self.assertEqual(counters["handshakes_resumed"], 2 * len(sessions))
            # the one that asks for /status is no resumed one
            self.assertEqual(counters["handshakes_full"], len(sessions) + 1)

    def test_five_connections_with_one_session(self):
        for server, backend in self.servers():
            if ("-tls1_2", "TLSv1.2") not in self.sessions(backend):
                continue
            with self.client(server, "-tls1_2", "-reconnect") as client:
                client.process.stdin.close()
                self.assertEqual(client.rest().count("Reused, TLSv1.2"), 5)

    def test_no_tickets(self):
        for server, backend in self.servers("--no-tickets"):
            for option, name, can in self.versions(backend):
                store = self.folder / f"session{option}"
                if can:
                    self.talk_once(server, option, "-sess_out", store)
                if store.exists():
                    self.assertIn(f"New, {name}",
                                  self.talk_once(server, option, "-sess_in", store))
                    store.unlink()
            self.assertEqual(weftlib.status(server)["counters"]["handshakes_resumed"], 0)

    def test_servers_with_the_same_secret_know_each_others_tickets(self):
        same, other = self.folder / "same", self.folder / "other"
        same.write_bytes(bytes(range(64)))
        other.write_bytes(bytes(range(1, 65)))
        for backend in weftlib.BACKENDS:
            for option, name in self.sessions(backend):
                store = self.folder / f"session{option}"
                for secret, word in ((same, "New"), (same, "Reused"), (other, "New")):
                    with weftlib.serve("--tls", backend, "--cert", self.files.cert, "--key",
                                       self.files.key, "--ticket-secret", secret,
                                       listen=["https://127.0.0.1:0"]) as server:
                        how = "-sess_in" if store.exists() else "-sess_out"
                        self.assertIn(f"{word}, {name}",
                                      self.talk_once(server, option, how, store))
                store.unlink()

    def test_who_shows_a_certificate_is_known(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        show = ["-cert", cert, "-key", key]
        for mode in ("optional", "required"):
            for server, backend in self.servers("--client-ca", self.files.ca,
                                                "--client-cert", mode):
                for option, name, can in self.versions(backend):
                    if not can:
                        continue
                    with self.client(server, option, *show, "-ign_eof") as client:
                        client.say(LAST_REQUEST.replace("/hello", "/whoami"))
                        who = self.json_of(client.rest())
                    self.assertEqual(
                        (who["name"], who["verified"], who["tls"], who["resumed"]),
                        ("CN=visitor", True, name[-3:], False))
                    self.assertEqual(who["sha256"], self.digest(cert))
                    # without, it depends
                    with self.client(server, option, "-ign_eof") as client:
                        client.say(LAST_REQUEST.replace("/hello", "/whoami"))
                        text = client.rest()
                    if mode == "required":
                        self.assertNotIn('"verified"', text)
                    else:
                        self.assertEqual(self.json_of(text)["name"], None)
                    # the server's own is no client's
                    with self.client(server, option, "-cert", self.files.cert, "-key",
                                     self.files.key, "-ign_eof") as client:
                        client.say(LAST_REQUEST.replace("/hello", "/whoami"))
                        self.assertNotIn('"verified"', client.rest())

    def test_a_resumed_session_keeps_its_certificate(self):
        cert, key = self.files.issue("returning", "DNS:visitor.test", usage="clientAuth")
        for server, backend in self.servers("--client-ca", self.files.ca):
            for option, _ in self.sessions(backend):
                store = self.folder / f"session{option}"
                for how, resumed in (("-sess_out", False), ("-sess_in", True)):
                    with self.client(server, option, "-cert", cert, "-key", key, how, store,
                                     "-ign_eof") as client:
                        client.say(LAST_REQUEST.replace("/hello", "/whoami"))
                        who = self.json_of(client.rest())
                    self.assertEqual((who["name"], who["verified"], who["resumed"]),
                                     ("CN=returning", True, resumed), (backend, option))
                store.unlink()

    def ocsp_response(self):
        """That the server's certificate is good, as its CA would say."""
        serial = weftlib.run("openssl", "x509", "-in", self.files.cert, "-noout", "-serial").stdout
        index, request, response = (self.folder / f"ocsp.{x}" for x in ("index", "req", "der"))
        index.write_text(f"V\t491231235959Z\t\t{serial.strip().partition('=')[2]}\tunknown\t"
                         "/CN=localhost\n")
        for arguments in (["-cert", self.files.cert, "-no_nonce", "-reqout", request],
                          ["-index", index, "-CA", self.files.ca, "-rsigner", self.files.ca,
                           "-rkey", self.files.ca_key, "-reqin", request, "-ndays", "1",
                           "-respout", response]):
            done = weftlib.run("openssl", "ocsp", "-issuer", self.files.ca, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
        return response

    def test_the_status_of_the_certificate_is_stapled(self):
        response = self.ocsp_response()
        stapled = 0
        for loop, backend in weftlib.pairs():
            if "staple" not in weftlib.caps("tls", backend):
                continue
            with weftlib.serve("--event", loop, "--tls", backend, "--cert", self.files.cert,
                               "--key", self.files.key, "--ocsp", response,
                               listen=["https://127.0.0.1:0"]) as server:
                for option, _, can in self.versions(backend):
                    if can:
                        text = self.talk_once(server, option, "-status")
                        self.assertIn("OCSP Response Status: successful", text)
                        self.assertIn("Cert Status: good", text)
                        stapled += 1
                self.assertNotIn("OCSP Response Status: ", self.talk_once(server))
        if not stapled:
            self.skipTest("no backend staples a status")

    @staticmethod
    def json_of(text):
        """The object in a response's body, among what the client says itself."""
        return json.JSONDecoder().raw_decode(text[text.index("{\n  \"address\""):])[0]

    @staticmethod
    def digest(cert):
        done = weftlib.run("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256")
        return done.stdout.strip().rpartition("=")[2].replace(":", "").lower()

    def test_groups_and_ciphers(self):
        for server, backend in self.servers():
            for arguments in (["-groups", "P-256"], ["-groups", "P-384:P-256"],
                              ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
                              ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
                              ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"]):
                with self.client(server, *arguments, "-ign_eof") as client:
                    client.say(LAST_REQUEST)
                    self.assertIn("Hello, World", client.rest(), (backend, arguments))

    def hello(self):
        """What a client would say first."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = weftlib.unverified().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        return outgoing.read()

    def garbage(self):
        """(bytes, whether they are so wrong that the server ends it by itself)."""
        hello, rng = self.hello(), random.Random(1)
        yield b"GET / HTTP/1.1\r\n\r\n", True
        yield b"\x80\x2e\x01\x00\x02" + bytes(60), True  # SSL 2
        yield b"\x15\x03\x01\x00\x02\x02\x28", True  # an alert for a start
        yield b"\x16\x03\x01\x00\x00" * 50, True  # empty records
        yield b"\x16\x03\x01\xff\xff" + bytes(70000), True
        yield hello[:5] + b"\x02" + hello[6:], True  # a ServerHello
        yield hello + hello, True
        yield hello[:-20], False
        yield hello[:1], False
        yield b"", False
        for _ in range(10):
            yield rng.randbytes(500), False
            flipped = bytearray(hello)
            for _ in range(5):
                flipped[rng.randrange(5, len(hello))] ^= 1 << rng.randrange(8)
            yield bytes(flipped), False

    def test_garbage_ends_that_connection_alone(self):
        for server, _ in self.servers():
            with self.client(server) as good:
                good.say(REQUEST)
                good.until("Hello, World\n")
                for data, ends in self.garbage():
                    with socket.create_connection(("127.0.0.1", server.port),
                                                  weftlib.SECONDS) as sock:
                        sock.sendall(data)
                        if not ends:
                            sock.shutdown(socket.SHUT_WR)
                        self.read_to_the_end(sock)
                good.text = ""
                good.say(LAST_REQUEST)
                good.until("Hello, World\n")
            self.still_serves(server)
            counters = weftlib.status(server)["counters"]
            self.assertGreaterEqual(counters["handshakes_failed"], 10)
            self.assertEqual(counters["streams_incoming"], 4)

    @staticmethod
    def read_to_the_end(sock):
        try:
            while sock.recv(65536):
                pass
        except ConnectionResetError:
            pass


class Client(Case):
    """`weft get` and a server that is OpenSSL's."""

    def server(self, *arguments, cert=None, **options):
        cert, key = cert or (self.files.cert, self.files.key)
        server = weftlib.Talk("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cert,
                              "-key", key, *arguments, **options)
        try:
            server.port = server.until(r"ACCEPT 127\.0\.0\.1:(\d+)")[1]
        except BaseException:
            server.__exit__(None, None, None)
            raise
        return server

    def get(self, server, loop, backend, *arguments, path="/", code=0, trust=True, host="localhost"):
        ca = ["--cacert", self.files.ca] if trust else []
        done = weftlib.weft("get", "--event", loop, "--tls", backend, *ca, *arguments,
                            f"https://{host}:{server.port}{path}")
        self.assertEqual(done.returncode, code, (loop, backend, done.stderr))
        return done

    def test_versions(self):
        for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            with self.server("-www", option) as server:
                for loop, backend in weftlib.pairs():
                    can = name[-3:] in " ".join(weftlib.caps("tls", backend))
                    done = self.get(server, loop, backend, code=0 if can else 1)
                    if can:
                        self.assertRegex(done.stdout, f"New, {name}, Cipher is ")
                        self.assertTrue(done.stdout.strip().endswith("</HTML>"))

    def test_old_versions_are_refused(self):
        with self.server("-www", "-tls1_1", *OLD) as server:
            for loop, backend in weftlib.pairs():
                done = self.get(server, loop, backend, "--insecure", "--json", code=1)
                error, = json.loads(done.stdout)["errors"]
                self.assertIn(error["status"], ("protocol", "tls"), error)

    def test_files_come_whole(self):
        data = os.urandom(2000000)
        (self.folder / "data.bin").write_bytes(data)
        with self.server("-WWW", cwd=self.folder) as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend, "-o", self.folder / "copy", path="/data.bin")
                self.assertTrue((self.folder / "copy").read_bytes() == data, (loop, backend))

    def test_verification(self):
        with self.server("-www") as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend, host="127.0.0.1")
                done = self.get(server, loop, backend, trust=False, code=3)
                self.assertIn("certificate issuer is unknown", done.stderr)

    def test_the_name_is_sent_and_checked(self):
        other = self.files.issue("other", "DNS:elsewhere.test")
        with self.server("-www", "-servername", "localhost", "-cert2", self.files.cert,
                         "-key2", self.files.key, cert=other) as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend)
                # an address is not sent as a name
                done = self.get(server, loop, backend, host="127.0.0.1", code=3)
                self.assertIn("certificate is for another host", done.stderr)

    def test_a_protocol_is_agreed_on(self):
        # this server refuses an offer that has none of its own, and takes no offer for granted
        for protocols, code in (("http/1.1", 0), ("http/1.1,h2", 0), ("nonsense", 1)):
            with self.server("-www", "-alpn", protocols) as server:
                for loop, backend in weftlib.pairs():
                    done = self.get(server, loop, backend, code=code)
                    if code:
                        self.assertRegex(done.stderr, "(?i)no.*application.*protocol")

    def test_an_rsa_certificate(self):
        cert, key = self.folder / "rsa.pem", self.folder / "rsa.key"
        weftlib.run("openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "rsa:2048",
                    "-nodes", "-days", "2", "-subj", "/CN=rsa", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert)
        with self.server("-www", cert=(cert, key)) as server:
            for loop, backend in weftlib.pairs():
                done = weftlib.weft("get", "--event", loop, "--tls", backend, "--cacert", cert,
                                    f"https://localhost:{server.port}/")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_server_that_asks_for_a_certificate_does_without(self):
        with self.server("-www", "-verify", "1") as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend)

    def test_a_server_that_insists_on_a_certificate_gets_one(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        for option in ("-tls1_2", "-tls1_3"):
            with self.server("-www", option, "-Verify", "1", "-CAfile", self.files.ca,
                             "-verify_return_error") as server:
                for loop, backend in weftlib.pairs():
                    if "tls1." + option[-1] not in weftlib.caps("tls", backend):
                        continue
                    done = self.get(server, loop, backend, "--cert", cert, "--key", key)
                    self.assertRegex(done.stdout, "(?s)Client certificate.*CN ?= ?visitor")
                    self.get(server, loop, backend, code=1)

    def test_sessions_are_resumed(self):
        for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            with self.server("-www", option) as server:
                for loop, backend in weftlib.pairs():
                    caps = weftlib.caps("tls", backend)
                    if "resume" not in caps or name[-3:] not in " ".join(caps):
                        continue
                    # it closes behind each response
                    done = self.get(server, loop, backend, "--json", "--count", "3", "-o",
                                    self.folder / "pages")
                    report = json.loads(done.stdout)
                    self.assertEqual((report["handshakes_full"], report["handshakes_resumed"]),
                                     (1, 2), (backend, option))
                    text = (self.folder / "pages").read_text()
                    self.assertEqual(text.count(f"Reused, {name}"), 2)
                    done = self.get(server, loop, backend, "--json", "--count", "2",
                                    "--no-tickets")
                    self.assertEqual(json.loads(done.stdout)["handshakes_full"], 2)

    def test_a_pinned_key(self):
        right, wrong = self.files.pin(self.files.cert), self.files.pin(self.files.ca)
        with self.server("-www") as server:
            for loop, backend in weftlib.pairs():
                if "pin" not in weftlib.caps("tls", backend):
                    continue
                self.get(server, loop, backend, "--pin", right)
                self.get(server, loop, backend, "--pin", wrong, "--pin", right)
                for insecure in ([], ["--insecure"]):
                    done = self.get(server, loop, backend, "--pin", wrong, *insecure, code=3)
                    self.assertIn("none of the pinned keys", done.stderr)

    def test_a_server_that_insists_on_a_certificate_is_a_failure(self):
        with self.server("-www", "-Verify", "1") as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend, code=1)

    def test_a_server_without_tls_is_a_failure(self):
        with weftlib.serve() as server:
            for loop, backend in weftlib.pairs():
                done = self.get(server, loop, backend, "--json", code=1)
                error, = json.loads(done.stdout)["errors"]
                self.assertIn(error["status"], ("protocol", "tls"), error)


if __name__ == "__main__":
    weftlib.main()
