# SPDX-License-Identifier: MIT
"""`weft get` and certificates: each fault with its words and exit code 3, --cacert, --insecure."""
import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from weftlib import weft  # noqa: E402


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
