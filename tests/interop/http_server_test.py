# SPDX-License-Identifier: MIT
"""`weft get` against Python's http.server."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import scenarios  # noqa: E402
import weftlib  # noqa: E402

if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")


class Python:
    version = "HTTP/1.1"

    @classmethod
    def peer(cls, folder, files, root):
        return peers.Python(folder, files=files, root=root, version=cls.version)


class Exchanges(Python, scenarios.Exchanges, unittest.TestCase):
    gzips = ranges = etags = False


class OldExchanges(Exchanges):
    version = "HTTP/1.0"
    keeps_alive = chunks = False


class Tls(Python, scenarios.Tls, unittest.TestCase):
    version = "HTTP/1.0"

    def test_sessions_are_resumed(self):
        self.check_resumption("/page.html")


if __name__ == "__main__":
    weftlib.main()
