# SPDX-License-Identifier: MIT
"""Clients that make an HTTP/2 server work for nothing: they are told to calm down, and cost little."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import h2frames as h2  # noqa: E402
import weftlib  # noqa: E402
from h2cases import HostileCase  # noqa: E402

if "h2" not in weftlib.ROLES:
    weftlib.skip_all("a build without HTTP/2")

MANY = 12000  # more than any bucket has, and what is earned meanwhile


def odd(count, first=1):
    return range(first, first + 2 * count, 2)


class Floods(HostileCase):
    """Each with the answers read and with them left unread."""

    def assert_calmed(self, pieces, **options):
        with self.attack("limits_hit", **options) as peer:
            self.flood(peer, pieces)  # all of it may go before the answer comes
            self.assertEqual(peer.expect_goaway(), h2.ENHANCE_YOUR_CALM)

    def assert_calmed_unread(self, pieces):
        """The peer does not read before it has said all. Whatever it is, the server ends it."""
        with self.attack("limits_hit", small=True) as peer:
            self.flood(peer, pieces, read=False)
            self.be_served()
            peer.expect_end()

    def both(self, pieces):
        pieces = list(pieces)
        with self.subTest("read"):
            self.assert_calmed(pieces)
        with self.subTest("unread"):
            self.assert_calmed_unread(pieces)

    def test_pings(self):
        self.both(h2.ping() for _ in range(MANY))

    def test_acknowledged_pings(self):
        self.both(h2.frame(h2.PING, h2.ACK, 0, b"12345678") for _ in range(MANY))

    def test_settings(self):
        self.both(h2.settings() for _ in range(MANY))

    def test_settings_that_move_all_windows(self):
        streams = [self.head(n, path="/bytes/10000000") for n in odd(100)]
        self.both(streams + [h2.settings((h2.INITIAL_WINDOW_SIZE, n % 2)) for n in range(MANY)])

    def test_settings_with_many_entries(self):
        with self.attack() as peer:
            peer.send(h2.settings(*[(h2.MAX_FRAME_SIZE, 16384)] * 2700))
            self.assertEqual(peer.expect_goaway(), h2.ENHANCE_YOUR_CALM)

    def test_priorities(self):
        self.both(h2.frame(h2.PRIORITY, 0, n, b"\0\0\0\0\x10") for n in odd(MANY))

    def test_priority_updates(self):
        self.both(h2.frame(h2.PRIORITY_UPDATE, 0, 0, bytes([0, 0, n >> 8, n & 255]) + b"u=3")
                  for n in odd(MANY))

    def test_frames_of_unknown_types(self):
        """RFC 9113 section 5.5: ignored, but not any number of them."""
        for types in ((0x0a,), (0xff,), (0x0c, 0x42, 0xb7)):
            self.both(h2.frame(types[n % len(types)], n & 255, n % 7, b"what is this?") for n in range(MANY))

    def test_a_few_frames_of_unknown_types_are_ignored(self):
        with self.attack() as peer:
            for kind in range(0x0a, 0x100):
                if kind != h2.PRIORITY_UPDATE:
                    peer.send(h2.frame(kind, kind, 0, b"grease" * (kind % 3)))
            peer.send(self.head(1))
            self.assertEqual(peer.expect_status(1), 200)

    def test_windows_of_the_connection(self):
        self.both(h2.window(0, 1) for _ in range(MANY))

    def test_windows_of_a_stream(self):
        self.both([self.head(1, path="/bytes/10000000")] + [h2.window(1, 1)] * MANY)

    def test_a_window_of_one_byte(self):
        """Each byte asked for by a frame of its own."""
        self.assert_calmed([self.head(1, path="/bytes/10000000")] + [h2.window(1, 1)] * MANY,
                           window=1)

    def test_empty_data(self):
        self.both([self.head(1, method="POST", path="/echo", flags=h2.END_HEADERS)]
                  + [h2.data(1)] * MANY)

    def test_data_that_is_padding(self):
        self.both([self.head(1, method="POST", path="/echo", flags=h2.END_HEADERS)]
                  + [h2.data(1, b"\0", h2.PADDED)] * MANY)

    def test_empty_continuations(self):
        self.both([h2.headers(1, h2.block(), h2.END_STREAM)]
                  + [h2.frame(h2.CONTINUATION, 0, 1)] * MANY)

    def test_continuations(self):
        piece = b"".join(h2.field(f"x-{n}", "y" * 50) for n in range(100))
        self.both([h2.headers(1, h2.block(), h2.END_STREAM)]
                  + [h2.frame(h2.CONTINUATION, 0, 1, piece)] * MANY)

    def test_continuations_of_a_head_that_is_refused_already(self):
        piece = b"".join(h2.field(f"x-{n}", "y" * 50) for n in range(100))
        self.both([h2.headers(1, h2.block((b"UPPER", "x")), h2.END_STREAM)]
                  + [h2.frame(h2.CONTINUATION, 0, 1, piece)] * MANY)

    def test_frames_of_streams_that_are_over(self):
        self.both([self.head(1)] + [h2.reset(1)] * MANY)


class Resets(HostileCase):
    """Streams that are begun to be reset."""

    def calmed(self, pieces, **options):
        with self.attack("limits_hit", **options) as peer:
            self.flood(peer, pieces)
            return peer.expect_goaway()

    def test_by_the_client(self):
        for path in ("/hello", "/bytes/100000", "/status"):
            with self.subTest(path):
                code = self.calmed((self.head(n, path=path) + h2.reset(n) for n in odd(MANY)),
                                   window=0)
                self.assertEqual(code, h2.ENHANCE_YOUR_CALM)

    def test_by_the_client_within_a_body(self):
        self.assertEqual(h2.ENHANCE_YOUR_CALM, self.calmed(
            self.head(n, method="POST", path="/echo", flags=h2.END_HEADERS)
            + h2.data(n, b"x" * 1000) + h2.reset(n) for n in odd(MANY)))

    def test_provoked(self):
        """The client has the server reset them."""
        begun = {"flags": h2.END_HEADERS, "method": "POST", "path": "/echo"}
        for word, code, head, wrong in (
                ("window of 0", h2.PROTOCOL_ERROR, {}, lambda n: h2.window(n, 0)),
                ("window that overflows", h2.ENHANCE_YOUR_CALM, {}, lambda n: h2.window(n, 0x7fffffff)),
                ("data behind the end", h2.STREAM_CLOSED, {}, lambda n: h2.data(n, b"x")),
                ("a head behind the end", h2.STREAM_CLOSED, {}, self.head),
                ("dependency on itself", h2.ENHANCE_YOUR_CALM, {}, lambda n: h2.frame(
                    h2.PRIORITY, 0, n, n.to_bytes(4, "big") + b"\x10")),
                ("priority of a wrong size", h2.FRAME_SIZE_ERROR, {}, lambda n: h2.frame(h2.PRIORITY, 0, n, b"\0" * 4)),
                ("more than content-length", h2.ENHANCE_YOUR_CALM, dict(begun, fields=[("content-length", "1")]),
                 lambda n: h2.data(n, b"xx")),
                ("trailers without an end", h2.ENHANCE_YOUR_CALM, begun, lambda n: h2.headers(
                    n, h2.field("a", "b"), h2.END_HEADERS)),
                ("upper case", h2.ENHANCE_YOUR_CALM, {"fields": [("Upper", "x")]}, lambda n: b""),
                ("a forbidden field", h2.ENHANCE_YOUR_CALM, {"fields": [("connection", "close")]}, lambda n: b"")):
            with self.subTest(word):
                fields = head.get("fields", ())
                options = {k: v for k, v in head.items() if k != "fields"}
                options = {"path": "/bytes/100000"} | options

                def one(n):
                    flags = options.get("flags", h2.END_HEADERS | h2.END_STREAM)
                    rest = {k: v for k, v in options.items() if k != "flags"}
                    return h2.headers(n, h2.block(*fields, **rest), flags) + wrong(n)
                # what breaks the connection's rules, too, ends it at once, and for that
                counted = "limits_hit" if code == h2.ENHANCE_YOUR_CALM else None
                with self.attack(counted, window=0) as peer:
                    self.flood(peer, (one(n) for n in odd(MANY)))
                    self.assertEqual(peer.expect_goaway(), code)


if __name__ == "__main__":
    weftlib.main()
