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


class Tls(Node, scenarios.Tls, unittest.TestCase):
    pass


if __name__ == "__main__":
    weftlib.main()
