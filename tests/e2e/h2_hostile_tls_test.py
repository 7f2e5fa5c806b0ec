# SPDX-License-Identifier: MIT
"""HTTP/2 clients that mean no good, over TLS: a few of each kind, with each backend."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import h2frames as h2  # noqa: E402
import weftlib  # noqa: E402
from h2cases import HostileCase  # noqa: E402

if "h2" not in weftlib.ROLES:
    weftlib.skip_all("a build without HTTP/2")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")

MANY = 12000


class OverTls:
    LISTEN = "https://127.0.0.1:0"

    def calmed(self, pieces, **options):
        with self.attack("limits_hit", **options) as peer:
            self.flood(peer, pieces)
            self.assertEqual(peer.expect_goaway(), h2.ENHANCE_YOUR_CALM)

    def test_pings(self):
        self.calmed(h2.ping() for _ in range(MANY))

    def test_settings(self):
        self.calmed(h2.settings() for _ in range(MANY))

    def test_resets(self):
        self.calmed((self.head(n, path="/bytes/100000") + h2.reset(n)
                     for n in range(1, 2 * MANY, 2)), window=0)

    def test_continuations(self):
        piece = b"".join(h2.field(f"x-{n}", "y" * 50) for n in range(100))
        self.calmed([h2.headers(1, h2.block(scheme="https"), h2.END_STREAM)]
                    + [h2.frame(h2.CONTINUATION, 0, 1, piece)] * MANY)

    def test_a_bomb(self):
        block = h2.block(h2.field("x", "y" * 4000, keep=True), scheme="https") + h2.indexed(62) * 16000
        pieces = [block[i:i + 16384] for i in range(0, len(block), 16384)]
        self.calmed([h2.headers(1, pieces[0], h2.END_STREAM)]
                    + [h2.frame(h2.CONTINUATION, 0, 1, p) for p in pieces[1:-1]]
                    + [h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, pieces[-1])])

    def test_bodies_that_are_not_read(self):
        self.check_bodies_that_are_not_read()

    def test_a_preface_that_is_none(self):
        """ALPN has said h2: then nothing else will do."""
        with self.attack(preface=None) as peer:
            peer.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            peer.expect_end()
            self.assertFalse(any(f.type in (h2.HEADERS, h2.DATA) for f in peer.frames))


for backend in weftlib.BACKENDS:
    name = backend.capitalize() + "Test"
    globals()[name] = type(name, (OverTls, HostileCase), {"ARGUMENTS": ("--tls", backend, "--self-signed")})

if __name__ == "__main__":
    weftlib.main()
