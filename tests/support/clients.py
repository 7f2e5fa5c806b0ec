# SPDX-License-Identifier: MIT
"""For tests of other people's clients against `weft serve`: a root of files, and a server of each kind."""
import functools
import os
import pathlib
import tempfile
import unittest

import weftlib

PAGE = "<!doctype html><title>page</title>" + "<p>the same again</p>\n" * 2000


class ClientCase(unittest.TestCase):
    """Files to serve in .root, certificates in .files, room for what comes back in .folder."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.root = cls.folder / "root"
        cls.root.mkdir()
        cls.data = os.urandom(3000000)
        (cls.root / "data.bin").write_bytes(cls.data)
        (cls.root / "page.html").write_text(PAGE)
        cls.files = weftlib.Certificates(cls.folder) if weftlib.BACKENDS else None

    def serve(self, arguments, scheme):
        """`weft serve` of the root; over TLS with the certificate of .files."""
        own = ["--cert", self.files.cert, "--key", self.files.key] if scheme == "https" else []
        return weftlib.serve("--root", self.root, *arguments, *own,
                             listen=[f"{scheme}://127.0.0.1:0"])

    def run_client(self, *command, code=0, **options):
        done = weftlib.run(*command, **options)
        self.assertEqual(done.returncode, code, f"{command}: {done.stdout!r} {done.stderr!r}")
        return done


def everywhere(test):
    """A test that is given a server of each loop, without TLS and with each backend."""
    @functools.wraps(test)
    def run(self):
        for words, arguments, scheme in weftlib.variants():
            with self.subTest(**words), self.serve(arguments, scheme) as server:
                test(self, server)
    return run
