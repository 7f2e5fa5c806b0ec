# SPDX-License-Identifier: MIT
"""`weft get --proxy` before `weft serve`, on every event loop and TLS backend: tunnels are counted by the proxy."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import weftlib  # noqa: E402
from cases import GetCase  # noqa: E402
from proxying import Proxy  # noqa: E402

WAYS = ("http", "socks5")


class Through(GetCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        certificates = weftlib.Certificates(folder.name)
        # a name that the proxy alone can resolve
        cls.ca = certificates.ca
        cls.cert, cls.key = certificates.issue("proxied", "DNS:web.test")

    def everywhere(self, test):
        """test(options of get, server, scheme) for each loop, without TLS and with each backend."""
        for words, arguments, scheme in weftlib.variants():
            own = ["--cert", self.cert, "--key", self.key] if scheme == "https" else []
            trust = ["--cacert", self.ca] if scheme == "https" else []
            with self.subTest(**words), weftlib.serve(*arguments, *own,
                                                      listen=[f"{scheme}://127.0.0.1:0"]) as server:
                test(arguments + trust, server, scheme)

    def test_streams_share_one_tunnel(self):
        def share(options, server, scheme):
            for way in WAYS:
                with Proxy() as proxy:
                    figures = self.report(
                        *options, "--proxy", proxy.url(way), "--count", "30", "--parallel", "6",
                        f"{scheme}://web.test:{server.port}/hello")
                    self.assertEqual((figures["ok"], figures["failed"]), (30, 0))
                    told = {"http": "connect", "socks5": "socks 3"}[way]
                    self.assertEqual(proxy.tunnels(1), [f"{told} web.test {server.port}"])
            # one for each proxy, and the one that asks
            self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 2 + 1)

        self.everywhere(share)

    def test_the_certificate_is_that_of_the_target(self):
        def refuse(options, server, scheme):
            if scheme == "http":
                return
            for way in WAYS:
                with Proxy() as proxy:
                    done = self.get(*options, "--proxy", proxy.url(way),
                                    f"https://other.test:{server.port}/hello", code=3)
                    self.assertIn("other.test", done.stderr)

        self.everywhere(refuse)

    def test_the_story_names_the_proxy(self):
        def explain(options, server, scheme):
            with Proxy() as proxy:
                done = self.get(*options, "--proxy", proxy.url("socks5"), "--explain",
                                f"{scheme}://web.test:{server.port}/hello")
                self.assertIn("connected through the proxy: ", done.stderr)

        self.everywhere(explain)

    def test_what_the_proxy_refuses_fails_with_its_words(self):
        port, = peers.free_ports(1)
        for loop in weftlib.LOOPS:
            with self.subTest(loop), Proxy() as proxy:
                done = self.get("--event", loop, "--proxy", proxy.url("http"),
                                f"http://web.test:{port}/", code=1)
                self.assertIn(f"refused: proxy {proxy.url('http')}: answered 502 Bad Gateway "
                              f"to CONNECT web.test:{port}", done.stderr)
                done = self.get("--event", loop, "--proxy", proxy.url("socks5"),
                                f"http://web.test:{port}/", code=1)
                self.assertIn(f"refused: proxy {proxy.url('socks5')}: answered 5, connection refused",
                              done.stderr)

    def test_a_proxy_that_is_not_there_is_named(self):
        for loop in weftlib.LOOPS:
            for way in WAYS:
                proxy = self.refused_url().rstrip("/").replace("http:", f"{way}:")
                done = self.get("--event", loop, "--proxy", proxy, "http://web.test/", code=1)
                self.assertIn(f"refused: proxy {proxy}: 127.0.0.1:", done.stderr)

    def test_answers_that_are_none_are_errors(self):
        for answer, word in (("SSH-2.0-x\\r\\n", "protocol"), ("", "truncated"),
                             ("HTTP/1.1 200 OK\\r\\n" + "x: y\\r\\n" * 4000, "limit")):
            for loop in weftlib.LOOPS:
                with self.subTest(word, loop=loop), Proxy("--say", answer or "HTTP") as proxy:
                    done = self.get("--event", loop, "--proxy", proxy.url("http"),
                                    "http://web.test/", code=1)
                    self.assertIn(f"{word}: proxy {proxy.url('http')}: ", done.stderr)

    def test_a_bad_url_is_a_usage_error(self):
        done = self.get("--proxy", "http://me:secret@127.0.0.1:1", "http://web.test/", code=2)
        self.assertIn("a user and password are not supported", done.stderr)
        self.assertNotIn("secret", done.stderr)


if __name__ == "__main__":
    weftlib.main()
