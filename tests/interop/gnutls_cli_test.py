# SPDX-License-Identifier: MIT
"""GnuTLS's commands: gnutls-cli as a client of `weft serve`, gnutls-serv as a server for `weft get`."""
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")
if not shutil.which("gnutls-cli") or not shutil.which("gnutls-serv"):
    weftlib.skip_all("no gnutls-cli and gnutls-serv on this machine")

VERSIONS = (("TLS1.2", "tls1.2"), ("TLS1.3", "tls1.3"))
REQUEST = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_REQUEST = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def only(version):
    """As a priority string: nothing but this version."""
    return f"NORMAL:-VERS-ALL:+VERS-{version}:%COMPAT"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.files = weftlib.Certificates(cls.folder)


class Server(Case):
    def servers(self):
        for loop, backend in weftlib.pairs():
            with weftlib.serve("--event", loop, "--tls", backend, "--cert", self.files.cert,
                               "--key", self.files.key, listen=["https://127.0.0.1:0"]) as server:
                yield server, backend

    def client(self, server, *arguments, host="localhost"):
        # by its address, since a bare system need not know the name
        names = ("--sni-hostname", host) if host == "localhost" else ()
        if "--verify-hostname" not in arguments:
            names += ("--verify-hostname", host)
        return weftlib.Talk("gnutls-cli", "--x509cafile", self.files.ca, "--port", server.port,
                            *names, *arguments, "127.0.0.1")

    def test_versions(self):
        for server, backend in self.servers():
            for version, cap in VERSIONS:
                with self.client(server, "--priority", only(version)) as client:
                    if cap not in weftlib.caps("tls", backend):
                        self.assertIn("fatal alert has been received", client.rest())
                        continue
                    client.until("Simple Client Mode")
                    self.assertIn(f"Description: ({version}", client.text)
                    client.say(LAST_REQUEST)
                    client.until("Hello, World\n")

    def test_old_versions_are_refused(self):
        for server, _ in self.servers():
            for version in ("TLS1.0", "TLS1.1"):
                with self.client(server, "--priority", only(version)) as client:
                    self.assertRegex(client.rest(), r"alert \[70\]")

    def test_the_certificate_is_trusted_by_name_and_by_address(self):
        for server, _ in self.servers():
            for host in ("localhost", "127.0.0.1"):
                with self.client(server, host=host) as client:
                    client.until("Simple Client Mode")
                    self.assertIn("Status: The certificate is trusted", client.text)

    def test_another_name_is_not_trusted(self):
        for server, _ in self.servers():
            with self.client(server, "--verify-hostname", "elsewhere.test") as client:
                self.assertIn("name in the certificate does not match", client.rest())

    def test_a_protocol_is_agreed_on(self):
        for server, _ in self.servers():
            for offer, taken in ((["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "h2")):
                arguments = [word for name in offer for word in ("--alpn", name)]
                with self.client(server, *arguments) as client:
                    client.until("Simple Client Mode")
                    self.assertIn(f"Application protocol: {taken}\n", client.text)
            with self.client(server, "--alpn", "nonsense") as client:
                self.assertRegex(client.rest(), r"alert \[120\]")

    def test_a_rehandshake_is_refused(self):
        for server, backend in self.servers():
            if "tls1.2" not in weftlib.caps("tls", backend):
                continue
            with self.client(server, "--rehandshake", "--priority", only("TLS1.2")) as client:
                client.until("ReHandshake has failed")
                client.until(r"alert \[100\]")
            with self.client(server) as client:
                client.until("Simple Client Mode")
                client.say(LAST_REQUEST)
                client.until("Hello, World\n")

    def test_the_end_is_announced(self):
        for server, _ in self.servers():
            with self.client(server) as client:
                client.until("Simple Client Mode")
                client.say(LAST_REQUEST)
                self.assertIn("Hello, World\n", client.until("(?s)Hello.*closed the GnuTLS")[0])

    def test_requests_follow_each_other(self):
        for server, _ in self.servers():
            with self.client(server) as client:
                client.until("Simple Client Mode")
                client.say(REQUEST)
                client.until("Hello, World\n")
                client.say(REQUEST)
                client.until("(?s)(Hello, World\n.*){2}")

    def test_a_second_connection_with_the_session_of_the_first(self):
        for server, backend in self.servers():
            for version, cap in VERSIONS:
                caps = weftlib.caps("tls", backend)
                if cap not in caps or "resume" not in caps:
                    continue
                # behind a request: TLS 1.3's ticket comes with the first data. Without %COMPAT, which leaves
                # out the extended master secret that a server may insist on (RFC 7627 section 5.3)
                with self.client(server, "--priority", only(version).removesuffix(":%COMPAT"),
                                 "--inline-commands") as client:
                    client.until("Simple Client Mode")
                    client.say(REQUEST)
                    client.until("Hello, World\n")
                    client.say("^resume^\n")
                    client.until(r"\*\*\* This is a resumed session")
                    client.say(LAST_REQUEST)
                    client.until("(?s)(Hello, World\n.*){2}")

    def test_suites_and_groups(self):
        for server, backend in self.servers():
            for priority in ("NORMAL:-GROUP-ALL:+GROUP-SECP256R1",
                             "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
                             "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM",
                             "SECURE128"):
                with self.client(server, "--priority", priority) as client:
                    client.until("Simple Client Mode")
                    client.say(LAST_REQUEST)
                    client.until("Hello, World\n")


class Client(Case):
    """`weft get` and a server that is GnuTLS's."""

    def server(self, *arguments, cert=None, clients=("--disable-client-cert",)):
        cert, key = cert or (self.files.cert, self.files.key)
        for _ in range(5):
            # it takes no port 0: somebody else may take this one first
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            server = weftlib.Talk("gnutls-serv", "--http", "--port", port, "--x509certfile", cert,
                                  "--x509keyfile", key, *clients, *arguments)
            server.port = port
            if server.until(r"IPv4 \S+ port \d+\.\.\.done|failed")[0] != "failed":
                return server
            server.__exit__(None, None, None)
        raise AssertionError("no free port")

    def get(self, server, loop, backend, *arguments, code=0, trust=True, host="localhost"):
        ca = ["--cacert", self.files.ca] if trust else []
        done = weftlib.weft("get", "--event", loop, "--tls", backend, *ca, *arguments,
                            f"https://{host}:{server.port}/")
        self.assertEqual(done.returncode, code, (loop, backend, done.stderr))
        return done

    def test_versions(self):
        for version, cap in VERSIONS:
            with self.server("--priority", only(version)) as server:
                for loop, backend in weftlib.pairs():
                    can = cap in weftlib.caps("tls", backend)
                    done = self.get(server, loop, backend, code=0 if can else 1)
                    if can:
                        self.assertIn(f"<TD>{version}</TD>", done.stdout)
                        self.assertTrue(done.stdout.strip().endswith("</HTML>"))

    def test_old_versions_are_refused(self):
        for version in ("TLS1.0", "TLS1.1"):
            with self.server("--priority", only(version)) as server:
                for loop, backend in weftlib.pairs():
                    done = self.get(server, loop, backend, "--insecure", "--json", code=1)
                    error, = json.loads(done.stdout)["errors"]
                    self.assertIn(error["status"], ("protocol", "tls"), error)

    def test_verification(self):
        with self.server() as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend, host="127.0.0.1")
                done = self.get(server, loop, backend, trust=False, code=3)
                self.assertIn("certificate issuer is unknown", done.stderr)

    def test_the_name_is_sent(self):
        with self.server() as server:
            for loop, backend in weftlib.pairs():
                self.assertIn("Server Name: localhost", self.get(server, loop, backend).stdout)
                done = self.get(server, loop, backend, host="127.0.0.1")
                self.assertNotIn("Server Name: 127", done.stdout)

    def test_another_name_is_noticed(self):
        with self.server(cert=self.files.issue("other", "DNS:elsewhere.test")) as server:
            for loop, backend in weftlib.pairs():
                done = self.get(server, loop, backend, code=3)
                self.assertIn("certificate is for another host", done.stderr)

    def test_a_protocol_is_agreed_on(self):
        for protocol, code in (("http/1.1", 0), ("nonsense", 1)):
            with self.server("--alpn", protocol, "--alpn-fatal") as server:
                for loop, backend in weftlib.pairs():
                    self.get(server, loop, backend, code=code)

    def test_requests_of_several_connections(self):
        with self.server() as server:
            for loop, backend in weftlib.pairs():
                # it closes after each response
                done = self.get(server, loop, backend, "--json", "--count", "5", "--parallel", "3",
                                "--max-conns", "3")
                report = json.loads(done.stdout)
                self.assertEqual((report["ok"], report["failed"]), (5, 0), report)

    def test_sessions_are_resumed(self):
        for version, cap in VERSIONS:
            # it insists on the extended master secret (RFC 7627), which %COMPAT leaves out
            with self.server("--priority", only(version).removesuffix(":%COMPAT")) as server:
                for loop, backend in weftlib.pairs():
                    if not {cap, "resume"} <= set(weftlib.caps("tls", backend)):
                        continue
                    done = self.get(server, loop, backend, "--json", "--count", "4")
                    report = json.loads(done.stdout)
                    self.assertEqual((report["handshakes_full"], report["handshakes_resumed"]),
                                     (1, 3), (backend, version))

    def test_a_server_that_insists_on_a_certificate_gets_one(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        clients = ("--require-client-cert", "--verify-client-cert", "--x509cafile", self.files.ca)
        with self.server(clients=clients) as server:
            for loop, backend in weftlib.pairs():
                self.get(server, loop, backend, "--cert", cert, "--key", key)
                self.get(server, loop, backend, code=1)


if __name__ == "__main__":
    weftlib.main()
