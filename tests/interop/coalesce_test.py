# SPDX-License-Identifier: MIT
"""`weft get --coalesce`: two names of one server, looked up for real, share a connection: with `weft serve` and with
nginx, where that serves both and where it says 421."""
import json
import os
import pathlib
import sys
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import weftlib  # noqa: E402
from clients import PAGE, ClientCase  # noqa: E402

if not {"h1", "h2"} <= set(weftlib.ROLES) or not weftlib.BACKENDS:
    weftlib.skip_all("a build without HTTP/2 or without TLS")

NAMES = "a.localhost", "b.localhost"  # RFC 6761 section 6.3: loopback, with or without a server of names


class Case(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cert, key = cls.files.issue("both", ",".join(f"DNS:{name}" for name in NAMES))
        cls.both = types.SimpleNamespace(cert=cert, key=key, ca=cls.files.ca)

    def get(self, loop, tls, port, *arguments, path="/page.html", count=2):
        """Each name in turn, one after the other; the figures, and what was told."""
        urls = [f"https://{name}:{port}{path}" for name in NAMES]
        done = weftlib.weft("get", "--event", loop, "--tls", tls, "--cacert", self.files.ca, "--explain", "--json",
                            "-o", self.folder / "out", "--count", count, *arguments, *urls)
        report = json.loads(done.stdout)
        self.assertEqual((done.returncode, report["ok"], report["statuses"]),
                         (0, 2 * count, {"200": 2 * count}), done.stderr)
        return report, done.stderr


class WeftServe(Case):
    def serve_both(self, loop, tls):
        return weftlib.serve("--event", loop, "--tls", tls, "--cert", self.both.cert, "--key", self.both.key,
                             "--root", self.root, listen=["https://127.0.0.1:0"])

    def accepted(self, server):
        """By its own count, without the connection that asks."""
        return weftlib.status(server)["counters"]["conns_accepted"] - 1

    def test_one_connection_and_one_handshake(self):
        for loop, own in weftlib.pairs():
            for tls in weftlib.BACKENDS:
                with self.subTest(loop=loop, client=tls, server=own), self.serve_both(loop, own) as server:
                    report, told = self.get(loop, tls, server.port, "--coalesce")
                    self.assertEqual((report["conns_opened"], report["handshakes_full"]), (1, 1), told)
                    self.assertIn("sent on connection 1, another host's with the same address and a certificate for "
                                  "both, after ", told)
                    self.assertIn("requests on another host's connection: 2; of these, answered 421 and tried "
                                  "again: 0\n", told)
                    self.assertEqual(self.accepted(server), 1)

    def test_all_at_once(self):
        for loop, tls in weftlib.pairs():
            with self.subTest(loop=loop, tls=tls), self.serve_both(loop, tls) as server:
                report, told = self.get(loop, tls, server.port, "--coalesce", "--parallel", "100", count=50)
                self.assertEqual((report["conns_opened"], report["streams_peak"]), (1, 100), told)
                self.assertEqual(self.accepted(server), 1)

    def test_only_if_it_is_wanted_and_both_speak_http_2(self):
        for loop, tls in weftlib.pairs():
            for arguments in ((), ("--coalesce", "--http", "1.1")):
                with self.subTest(loop=loop, tls=tls), self.serve_both(loop, tls) as server:
                    report, told = self.get(loop, tls, server.port, *arguments)
                    self.assertEqual(report["conns_opened"], 2, told)
                    self.assertNotIn("another host's", told)

    def test_the_policy_says_so(self):
        file = self.folder / "policy.json"
        for wish, conns in ((False, 2), (True, 1)):
            for loop, tls in weftlib.pairs():
                with self.subTest(loop=loop, tls=tls, wish=wish), self.serve_both(loop, tls) as server:
                    common = {"port": server.port, "trust_store": "t", "path": "/page.html", "coalesce": wish}
                    file.write_text(json.dumps({
                        "schema_version": 1, "certs": {"ca": {"pem_file": str(self.files.ca)}},
                        "trust_stores": {"t": {"certs": ["ca"]}},
                        "streams": {name[0]: {"endpoint": name} | common for name in NAMES}}))
                    done = weftlib.weft("get", "--event", loop, "--tls", tls, "--policy", file, "--stream", "a",
                                        "--stream", "b")
                    self.assertEqual((done.returncode, done.stdout), (0, PAGE * 2), done.stderr)
                    self.assertEqual(self.accepted(server), conns)
        told = weftlib.weft("policy", "explain", file, "a").stdout
        self.assertIn("may use        another host's connection, if its certificate is for both\n", told)


@unittest.skipUnless(peers.Nginx.program, "no nginx on this machine")
class Nginx(Case):
    def nginx(self, name, extra):
        for path in (self.folder, self.root):
            path.chmod(0o755)
        folder = pathlib.Path(self.folder / name)
        folder.mkdir(mode=0o755, exist_ok=True)
        return peers.NginxH2(folder, files=self.both, root=self.root, extra=extra)

    def test_one_that_serves_both(self):
        with self.nginx("both", "") as server:
            for loop, tls in weftlib.pairs():
                mark = server.mark()
                report, told = self.get(loop, tls, server.tls, "--coalesce")
                self.assertEqual(report["conns_opened"], 1, told)
                self.assertEqual(len({r["conn"] for r in server.requests(mark, 4)}), 1)

    def test_one_that_says_that_it_does_not(self):
        apart = """set $both $ssl_server_name/$host;
            if ($both = a.localhost/b.localhost) { return 421; }"""
        with self.nginx("apart", apart) as server:
            for loop, tls in weftlib.pairs():
                mark = server.mark()
                report, told = self.get(loop, tls, server.tls, "--coalesce", count=3)
                self.assertEqual(report["conns_opened"], 2, told)
                self.assertIn("queued again: connection 1 does not serve this host (421); it gets one of its own\n",
                              told)
                asked = server.requests(mark, 7)
                self.assertEqual(sorted(r["status"] for r in asked), ["200"] * 6 + ["421"])
                self.assertEqual(len({r["conn"] for r in asked}), 2)


if __name__ == "__main__":
    weftlib.main()
