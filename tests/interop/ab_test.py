# SPDX-License-Identifier: MIT
"""ApacheBench as a client of `weft serve`."""
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from clients import ClientCase, everywhere  # noqa: E402

if not shutil.which("ab"):
    weftlib.skip_all("no ab on this machine")


class Exchanges(ClientCase):
    def figures(self, *arguments):
        """What it says at the end: the first number behind each colon."""
        text = self.run_client("ab", "-q", *arguments).stdout
        return {name.strip(): float(number)
                for name, number in re.findall(r"^([A-Z][\w /-]+):\s+(\d+(?:\.\d+)?)(?=\s)", text, re.M)}

    @everywhere
    def test_keep_alive(self, server):
        told = self.figures("-k", "-n", "2000", "-c", "20", f"{server.url}/hello")
        self.assertEqual((told["Complete requests"], told["Failed requests"]), (2000, 0))
        self.assertNotIn("Non-2xx responses", told)
        self.assertEqual(told["Keep-Alive requests"], 2000)
        self.assertEqual(told["HTML transferred"], 2000 * 13)
        counters = weftlib.status(server)["counters"]
        self.assertGreaterEqual(counters["streams_incoming"], 2001)
        self.assertLessEqual(counters["conns_accepted"], 21 + 20)  # it may open more than it uses

    @everywhere
    def test_a_connection_for_each(self, server):
        told = self.figures("-n", "200", "-c", "10", f"{server.url}/bytes/20000")
        self.assertEqual((told["Complete requests"], told["Failed requests"]), (200, 0))
        self.assertEqual(told["HTML transferred"], 200 * 20000)
        self.assertGreaterEqual(weftlib.status(server)["counters"]["conns_accepted"], 201)

    @everywhere
    def test_a_body_is_posted(self, server):
        told = self.figures("-k", "-n", "50", "-c", "5", "-p", self.root / "page.html", "-T",
                            "text/html", f"{server.url}/echo")
        self.assertEqual((told["Complete requests"], told["Failed requests"]), (50, 0))


if __name__ == "__main__":
    weftlib.main()
