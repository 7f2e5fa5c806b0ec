# SPDX-License-Identifier: MIT
"""`weft get` against Apache."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import scenarios  # noqa: E402
import weftlib  # noqa: E402

if not peers.Apache.program or not peers.Apache.modules.is_dir():
    weftlib.skip_all("no apache2 with modules on this machine")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")


class Apache:
    @classmethod
    def peer(cls, folder, files, root, **options):
        return peers.Apache(folder, files=files, root=root, **options)


class Exchanges(Apache, scenarios.Exchanges, unittest.TestCase):
    pass


class Tls(Apache, scenarios.Tls, unittest.TestCase):
    tells_alpn = False


if __name__ == "__main__":
    weftlib.main()
