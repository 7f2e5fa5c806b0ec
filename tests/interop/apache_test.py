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


    @scenarios.everyhow
    def test_the_server_counts_requests_of_a_connection(self, arguments, scheme):
        mark = self.server.mark()
        self.report(*arguments, "--count", "10", self.server.url(scheme, "/page.html"))
        counts = [int(r["keepalives"]) for r in self.server.requests(mark, 10)]
        self.assertEqual(counts, list(range(10)))


class Tls(Apache, scenarios.Tls, unittest.TestCase):
    tells_alpn = False

    @classmethod
    def peer(cls, folder, files, root):
        # each connection is for one request
        return super().peer(folder, files, root, extra="KeepAlive Off")

    def test_sessions_are_resumed(self):
        self.check_resumption("/page.html")


class ClientCertificates(Apache, scenarios.Basics, unittest.TestCase):
    @classmethod
    def peer(cls, folder, files, root):
        return super().peer(folder, files, root, tls_extra=f"""
            SSLCACertificateFile {files.ca}
            SSLVerifyClient require""")

    def test_who_shows_one_is_known_and_who_shows_none_is_refused(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        url = self.server.url("https", "/page.html")
        for loop, backend in weftlib.pairs():
            mark = self.server.mark()
            report = self.report("--event", loop, "--tls", backend, "--cert", cert, "--key", key, url)
            self.assertEqual(report["statuses"], {"200": 1}, (loop, backend))
            self.assertEqual(self.server.requests(mark, 1)[0]["client"], "CN=visitor")
            self.get("--event", loop, "--tls", backend, url, code=1)


if __name__ == "__main__":
    weftlib.main()
