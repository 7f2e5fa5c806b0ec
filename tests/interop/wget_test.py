# SPDX-License-Identifier: MIT
"""wget as a client of `weft serve`."""
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from clients import PAGE, ClientCase, everywhere  # noqa: E402

if not shutil.which("wget"):
    weftlib.skip_all("no wget on this machine")


class Exchanges(ClientCase):
    def wget(self, *arguments, **options):
        trust = ["--ca-certificate", self.files.ca] if self.files else []
        # no settings of the machine's
        return self.run_client("wget", "--no-config", "--no-hsts", "--tries=1", *trust, *arguments,
                               **options)

    @everywhere
    def test_urls_share_a_connection(self, server):
        done = self.wget("-O", "-", f"{server.url}/hello", f"{server.url}/bytes/1000",
                         f"{server.url}/hello", text=False)
        self.assertEqual(done.stdout[:13] + done.stdout[-13:], b"Hello, World\n" * 2)
        self.assertEqual(done.stderr.count(b"Reusing existing connection"), 2, done.stderr)
        self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 2)

    @everywhere
    def test_a_download_goes_on_where_it_stopped(self, server):
        copy = self.folder / "copy"
        copy.write_bytes(self.data[:1234567])
        done = self.wget("--server-response", "--continue", "-O", copy, f"{server.url}/data.bin")
        self.assertIn("206 Partial Content", done.stderr)
        self.assertTrue(copy.read_bytes() == self.data)
        # a whole one is left alone
        done = self.wget("--server-response", "--continue", "-O", copy, f"{server.url}/data.bin")
        self.assertIn("416", done.stderr)
        self.assertTrue(copy.read_bytes() == self.data)

    @everywhere
    def test_a_newer_file_only(self, server):
        place = self.folder / "newer"
        place.mkdir(exist_ok=True)
        self.wget("--timestamping", "--directory-prefix", place, f"{server.url}/page.html")
        self.assertEqual((place / "page.html").read_text(), PAGE)
        done = self.wget("--timestamping", "--directory-prefix", place, f"{server.url}/page.html")
        self.assertIn("304", done.stderr)

    @everywhere
    def test_a_file_is_posted(self, server):
        done = self.wget("--post-file", self.root / "data.bin", "-O", "-", f"{server.url}/echo",
                         text=False)
        self.assertTrue(done.stdout == self.data)
        done = self.wget("--method=PUT", "--body-data=word", "-O", "-", f"{server.url}/echo")
        self.assertEqual(done.stdout, "word")

    @unittest.skipUnless(weftlib.GZIP, "a build without gzip")
    @everywhere
    def test_compression(self, server):
        done = self.wget("--server-response", "--compression=gzip", "-O", "-",
                         f"{server.url}/page.html")
        self.assertEqual(done.stdout, PAGE)
        self.assertRegex(done.stderr, "(?i)content-encoding: gzip")

    @everywhere
    def test_what_is_not_there(self, server):
        self.wget("-O", "-", f"{server.url}/none", code=8)

    @everywhere
    def test_only_the_head(self, server):
        done = self.wget("--spider", "--server-response", f"{server.url}/data.bin")
        self.assertRegex(done.stderr, "(?i)content-length: 3000000")

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_an_unknown_issuer_is_noticed(self):
        for loop, backend in weftlib.pairs():
            with self.serve(["--event", loop, "--tls", backend], "https") as server:
                self.run_client("wget", "--no-config", "--tries=1", "-O", "-",
                                f"{server.url}/hello", code=5)


if __name__ == "__main__":
    weftlib.main()
