# SPDX-License-Identifier: MIT
"""docs/tls-backends.md is what a run of the contract suite gives."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

SCRIPT = weftlib.SOURCE / "scripts" / "tls-matrix"


class Matrix(unittest.TestCase):
    def test_the_page_is_what_a_run_gives(self):
        done = weftlib.run(SCRIPT, "--check", weftlib.BUILD, timeout=550)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if set(weftlib.BACKENDS) != {"gnutls", "mbedtls"}:
    weftlib.skip_all("the page is about all backends, this build has not all")
if weftlib.SANITIZED:
    weftlib.skip_all("the suite is a test of its own here, and slow; the page is checked by builds without sanitizers")
weftlib.main()
