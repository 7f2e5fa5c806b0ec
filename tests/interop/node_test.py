# SPDX-License-Identifier: MIT
"""`weft get` against node's http and https."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import scenarios  # noqa: E402
import weftlib  # noqa: E402

if not peers.Node.program:
    weftlib.skip_all("no node on this machine")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")


class Node:
    @classmethod
    def peer(cls, folder, files, root, **options):
        return peers.Node(folder, files=files, root=root, **options)


class Exchanges(Node, scenarios.Exchanges, unittest.TestCase):
    pass


    @scenarios.everyhow
    def test_a_connection_that_is_to_end_is_replaced(self, arguments, scheme):
        mark = self.server.mark()
        report = self.report(*arguments, "--count", "4", self.server.url(scheme, "/close"))
        self.assertEqual((report["statuses"], report["conns_opened"]), ({"200": 4}, 4))
        self.assertEqual((self.body, self.conns(mark, 4)), (b"bye" * 4, 4))

    @scenarios.everyhow
    def test_hints_that_come_first(self, arguments, scheme):
        report = self.report(*arguments, "--count", "3", self.server.url(scheme, "/early"))
        self.assertEqual((report["statuses"], self.body), ({"200": 3}, b"late" * 3))
        self.assertEqual(report["conns_opened"], 1)


class Tls(Node, scenarios.Tls, unittest.TestCase):
    def test_sessions_are_resumed(self):
        # with TLS 1.3, node gives no ticket on a resumed connection, and a ticket is for one use
        for loop, backend in weftlib.pairs():
            if "resume" not in weftlib.caps("tls", backend):
                continue
            mark = self.server.mark()
            report = self.report("--event", loop, "--tls", backend, "--count", "6",
                                 self.server.url("https", "/close"))
            once = "tls1.3" in weftlib.caps("tls", backend)
            self.assertEqual((report["ok"], report["handshakes_full"] + report["handshakes_resumed"]),
                             (6, 6))
            self.assertGreaterEqual(report["handshakes_resumed"], 3 if once else 5, (loop, backend))
            told = [r["reused"] for r in self.server.requests(mark, 6)]
            self.assertEqual(told.count("r"), report["handshakes_resumed"])


if __name__ == "__main__":
    weftlib.main()
