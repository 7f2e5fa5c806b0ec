# SPDX-License-Identifier: MIT
"""`weft get` against nginx, and nginx as a proxy before `weft serve`."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import scenarios  # noqa: E402
import weftlib  # noqa: E402

if not peers.Nginx.program:
    weftlib.skip_all("no nginx on this machine")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")


class Nginx:
    @classmethod
    def peer(cls, folder, files, root, **options):
        echo = weftlib.serve()
        cls.addClassCleanup(echo.stop)
        return peers.Nginx(folder, files=files, root=root, echo=echo.url, **options)


class Exchanges(Nginx, scenarios.Exchanges, unittest.TestCase):
    pass


class Tls(Nginx, scenarios.Tls, unittest.TestCase):
    pass


if __name__ == "__main__":
    weftlib.main()
