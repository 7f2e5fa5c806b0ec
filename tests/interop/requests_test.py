# SPDX-License-Identifier: MIT
"""python-requests, and urllib3 below it, as clients of `weft serve`."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from clients import PAGE, ClientCase, everywhere  # noqa: E402

try:
    import requests
    import urllib3
except ImportError as missing:
    weftlib.skip_all(f"no {missing.name} for this python")


class Exchanges(ClientCase):
    def session(self):
        session = requests.Session()
        self.addCleanup(session.close)
        session.trust_env = False  # no proxies of the machine's
        session.verify = str(self.files.ca) if self.files else True
        return session

    @everywhere
    def test_a_session_keeps_its_connection(self, server):
        with self.session() as session:
            for _ in range(10):
                answer = session.get(f"{server.url}/hello", timeout=weftlib.SECONDS)
                self.assertEqual((answer.status_code, answer.text), (200, "Hello, World\n"))
            self.assertEqual(session.get(f"{server.url}/none").status_code, 404)
            self.assertEqual(session.head(f"{server.url}/data.bin").headers["content-length"],
                             "3000000")
            self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 2)

    @everywhere
    def test_an_upload_of_known_length(self, server):
        with self.session() as session:
            for method in ("POST", "PUT"):
                answer = session.request(method, f"{server.url}/echo", data=self.data,
                                         timeout=weftlib.SECONDS)
                self.assertTrue(answer.content == self.data)

    @everywhere
    def test_a_stream_of_chunks(self, server):
        def pieces():
            for at in range(0, len(self.data), 100000):
                yield self.data[at:at + 100000]
        with self.session() as session:
            answer = session.post(f"{server.url}/echo", data=pieces(), timeout=weftlib.SECONDS)
            self.assertEqual(answer.request.headers["Transfer-Encoding"], "chunked")
            self.assertTrue(answer.content == self.data)

    @everywhere
    def test_a_download_in_pieces(self, server):
        with self.session() as session:
            with session.get(f"{server.url}/data.bin", stream=True,
                             timeout=weftlib.SECONDS) as answer:
                self.assertTrue(b"".join(answer.iter_content(65536)) == self.data)
            answer = session.get(f"{server.url}/data.bin", headers={"Range": "bytes=5-9"})
            self.assertEqual((answer.status_code, answer.content), (206, self.data[5:10]))

    @unittest.skipUnless(weftlib.GZIP, "a build without gzip")
    @everywhere
    def test_a_coding_and_a_condition(self, server):
        with self.session() as session:
            answer = session.get(f"{server.url}/page.html", headers={"Accept-Encoding": "gzip"})
            self.assertEqual((answer.headers["Content-Encoding"], answer.text), ("gzip", PAGE))
            answer = session.get(f"{server.url}/page.html",
                                 headers={"If-None-Match": answer.headers["ETag"],
                                          "Accept-Encoding": "gzip"})
            self.assertEqual((answer.status_code, answer.content), (304, b""))

    @everywhere
    def test_a_redirect_is_followed(self, server):
        (self.root / "docs").mkdir(exist_ok=True)
        (self.root / "docs" / "index.html").write_text("index")
        with self.session() as session:
            answer = session.get(f"{server.url}/docs")
            self.assertEqual((answer.text, len(answer.history)), ("index", 1))

    @everywhere
    def test_a_form_with_a_file(self, server):
        with self.session() as session, open(self.root / "data.bin", "rb") as file:
            answer = session.post(f"{server.url}/echo", files={"file": file})
            self.assertIn(self.data, answer.content)

    @everywhere
    def test_a_pool_of_urllib3(self, server):
        trust = {"ca_certs": str(self.files.ca)} if self.files else {}
        with urllib3.PoolManager(**trust) as pool:
            for _ in range(5):
                answer = pool.request("GET", f"{server.url}/hello")
                self.assertEqual((answer.status, answer.data), (200, b"Hello, World\n"))
            answer = pool.request("POST", f"{server.url}/echo", body=b"onetwo")
            self.assertEqual(answer.data, b"onetwo")
            self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 2)


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class Tls(ClientCase):
    def test_an_unknown_issuer_is_noticed(self):
        for loop, backend in weftlib.pairs():
            with self.serve(["--event", loop, "--tls", backend], "https") as server:
                with self.assertRaises(requests.exceptions.SSLError):
                    requests.get(f"{server.url}/hello", timeout=weftlib.SECONDS)

    def test_a_certificate_of_its_own(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        for loop, backend in weftlib.pairs():
            arguments = ["--event", loop, "--tls", backend, "--client-ca", self.files.ca]
            with self.serve(arguments, "https") as server:
                who = requests.get(f"{server.url}/whoami", verify=str(self.files.ca),
                                   cert=(str(cert), str(key)), timeout=weftlib.SECONDS).json()
                self.assertEqual((who["name"], who["verified"]), ("CN=visitor", True))
                with self.assertRaises(requests.exceptions.ConnectionError):
                    requests.get(f"{server.url}/whoami", verify=str(self.files.ca),
                                 timeout=weftlib.SECONDS)


if __name__ == "__main__":
    weftlib.main()
