# SPDX-License-Identifier: MIT
"""httpie as a client of `weft serve`."""
import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from clients import PAGE, ClientCase, everywhere  # noqa: E402

if not shutil.which("http"):
    weftlib.skip_all("no httpie on this machine")


class Exchanges(ClientCase):
    def http(self, *arguments, **options):
        trust = ["--verify", self.files.ca] if self.files else []
        # no settings of the machine's
        settings = os.environ | {"HTTPIE_CONFIG_DIR": str(self.folder / "httpie")}
        return self.run_client("http", "--ignore-stdin", "--check-status", *trust, *arguments,
                               env=settings, **options)

    @everywhere
    def test_get_and_head(self, server):
        done = self.http("--print=hb", f"{server.url}/hello")
        self.assertIn("HTTP/1.1 200 OK", done.stdout)
        self.assertTrue(done.stdout.endswith("Hello, World\n"), done.stdout)
        done = self.http("--print=h", "HEAD", f"{server.url}/data.bin")
        self.assertRegex(done.stdout, "(?i)content-length: 3000000")

    @everywhere
    def test_json_and_a_form(self, server):
        done = self.http("--print=b", "POST", f"{server.url}/echo", "name=weft", "count:=3")
        self.assertEqual(json.loads(done.stdout), {"name": "weft", "count": 3})
        done = self.http("--print=b", "--form", f"{server.url}/echo", "name=weft")
        self.assertEqual(done.stdout.strip(), "name=weft")
        done = self.http("--print=b", "--multipart", "--download", "-o", self.folder / "form",
                         "POST", f"{server.url}/echo", f"file@{self.root}/data.bin")
        self.assertIn(self.data, (self.folder / "form").read_bytes())

    @everywhere
    def test_a_stream(self, server):
        done = self.http("--stream", "--print=b", f"{server.url}/page.html")
        self.assertEqual(done.stdout.strip(), PAGE.strip())

    @everywhere
    def test_an_upload_in_chunks(self, server):
        done = self.http("--chunked", "--print=Hb", "POST", f"{server.url}/echo",
                         "--raw", "some words")
        self.assertRegex(done.stdout, "(?i)transfer-encoding: chunked")
        self.assertTrue(done.stdout.strip().endswith("some words"), done.stdout)

    @everywhere
    def test_a_status_that_is_an_error(self, server):
        self.http(f"{server.url}/none", code=4)


if __name__ == "__main__":
    weftlib.main()
