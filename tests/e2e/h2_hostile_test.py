# SPDX-License-Identifier: MIT
"""HTTP/2 clients that break rules or test bounds: heads, frames, windows and the preface."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import h2frames as h2  # noqa: E402
import weftlib  # noqa: E402
from h2cases import HostileCase  # noqa: E402

if "h2" not in weftlib.ROLES:
    weftlib.skip_all("a build without HTTP/2")

POST = {"method": "POST", "path": "/echo", "flags": h2.END_HEADERS}


class Heads(HostileCase):
    """What a request's head may weigh."""

    def long_head(self, stream, block):
        """HEADERS and as many CONTINUATIONs as it takes."""
        pieces = [block[i:i + 16384] for i in range(0, len(block), 16384)]
        kinds = [(h2.HEADERS, h2.END_STREAM)] + [(h2.CONTINUATION, 0)] * (len(pieces) - 1)
        frames = [h2.frame(kind, flags | (h2.END_HEADERS if i == len(pieces) - 1 else 0), stream, piece)
                  for i, ((kind, flags), piece) in enumerate(zip(kinds, pieces))]
        return b"".join(frames)

    def test_more_bytes_than_are_taken_are_answered_431(self):
        with self.attack("requests_refused") as peer:
            peer.send(self.long_head(1, h2.block(*[(f"x-{n}", "y" * 1000) for n in range(80)])))
            self.assertEqual(peer.expect_status(1), 431)
            # and the connection goes on, as decoding did
            peer.send(self.head(3))
            self.assertEqual(peer.expect_status(3), 200)

    def test_more_fields_than_are_taken_are_answered_431(self):
        with self.attack("requests_refused") as peer:
            peer.send(self.long_head(1, h2.block(*[("a", "")] * 400)))
            self.assertEqual(peer.expect_status(1), 431)

    def test_far_more_end_the_connection(self):
        with self.attack("limits_hit") as peer:
            peer.send(self.long_head(1, h2.block(*[(f"x-{n}", "y" * 1000) for n in range(280)])))
            self.assertEqual(peer.expect_goaway(), h2.ENHANCE_YOUR_CALM)

    def test_a_bomb_of_one_byte_a_field(self):
        """A field of 4,000 bytes in the table, and told by its number again and again."""
        with self.attack("limits_hit") as peer:
            bomb = h2.block(h2.field("x", "y" * 4000, keep=True)) + h2.indexed(62) * 16000
            peer.send(self.long_head(1, bomb))
            self.assertEqual(peer.expect_goaway(), h2.ENHANCE_YOUR_CALM)

    def test_bombs_one_after_the_other(self):
        """Each a little below what ends the connection."""
        with self.attack("requests_refused") as peer:
            peer.send(h2.window(0, 1 << 30), h2.headers(1, h2.block(h2.field("x", "y" * 4000, keep=True))))
            for first in range(3, 2003, 100):
                peer.send(*[h2.headers(n, h2.block() + h2.indexed(62) * 20)
                            for n in range(first, first + 100, 2)])
                self.assertEqual(peer.expect_status(first + 98), 431)
            self.be_served()

    def test_thousands_of_crumbs_of_a_cookie(self):
        """They are one field, and bounded by their bytes."""
        with self.attack() as peer:
            peer.send(self.long_head(1, h2.block(*[h2.indexed(32)] * 400)))
            self.assertEqual(peer.expect_status(1), 200)
        with self.attack("limits_hit") as peer:
            peer.send(self.long_head(1, h2.block(*[h2.indexed(32)] * 8000)))
            self.assertEqual(peer.expect_goaway(), h2.ENHANCE_YOUR_CALM)

    def test_what_cannot_be_decoded(self):
        for word, block in (("index 0", b"\x80"), ("an index of nothing", h2.indexed(200)),
                            ("a table larger than agreed", h2.integer(100000, 5, 0x20)),
                            ("a number without end", b"\x00" + b"\xff" * 12),
                            ("Huffman code that is none", b"\x00\x81\xff\x01a")):
            with self.subTest(word), self.attack() as peer:
                peer.send(h2.headers(1, block))
                self.assertEqual(peer.expect_goaway(), h2.COMPRESSION_ERROR)

    def test_heads_that_are_none(self):
        for word, head in (
                ("no method", {"method": None}), ("no path", {"path": None}), ("no scheme", {"scheme": None}),
                ("an empty path", {"path": ""}), ("no authority", {"authority": None}),
                ("a bad authority", {"authority": "a b"}), ("upper case", {"fields": [("Accept", "x")]}),
                ("a field of a connection", {"fields": [("connection", "close")]}),
                ("transfer-encoding", {"fields": [("transfer-encoding", "chunked")]}),
                ("a pseudo-header behind fields", {"fields": [("a", "b"), (":path", "/")]}),
                ("an unknown pseudo-header", {"fields": [(":weft", "x")]}),
                ("two paths", {"fields": [(":path", "/")]}),
                ("te", {"fields": [("te", "gzip")]}),
                ("a line break", {"fields": [("a", "b\r\nc: d")]}),
                ("a NUL", {"fields": [("a", "b\0c")]}),
                ("two lengths", {"fields": [("content-length", "0"), ("content-length", "1")]}),
                ("a status", {"fields": [(":status", "200")]})):
            with self.subTest(word), self.attack() as peer:
                fields = head.pop("fields", ())
                peer.send(h2.headers(1, h2.block(*fields, **head)))
                self.assertEqual(peer.expect_reset(1), h2.PROTOCOL_ERROR)
                peer.send(self.head(3))
                self.assertEqual(peer.expect_status(3), 200)

    def test_places_that_are_none(self):
        for word, status, head in (
                ("another host", 400, {"fields": [("host", "elsewhere")]}),
                ("https where there is no TLS", 421, {"scheme": "https"}),
                ("another scheme", 400, {"scheme": "ftp"}),
                ("an expectation", 417, {"fields": [("expect", "miracles")]})):
            with self.subTest(word), self.attack("requests_refused") as peer:
                fields = head.pop("fields", ())
                peer.send(h2.headers(1, h2.block(*fields, **head)))
                self.assertEqual(peer.expect_status(1), status)


class Frames(HostileCase):
    """What the protocol forbids."""

    def test_the_connection_ends_with_the_right_error(self):
        for word, code, pieces in (
                ("DATA of no stream", h2.PROTOCOL_ERROR, [h2.data(1, b"x")]),
                ("a frame that is too long", h2.FRAME_SIZE_ERROR,
                 [h2.frame(h2.DATA, 0, 1, b"", length=16385) + b"x" * 16385]),
                ("a frame of 16 MiB", h2.FRAME_SIZE_ERROR,
                 [h2.frame(h2.HEADERS, 4, 1, b"", length=0xffffff) + b"x" * 100000]),
                ("HEADERS on the connection", h2.PROTOCOL_ERROR, [h2.headers(0)]),
                ("HEADERS on an even stream", h2.PROTOCOL_ERROR, [h2.headers(2)]),
                ("PING of 7 bytes", h2.FRAME_SIZE_ERROR, [h2.frame(h2.PING, 0, 0, b"1234567")]),
                ("PING on a stream", h2.PROTOCOL_ERROR, [h2.frame(h2.PING, 0, 1, b"12345678")]),
                ("SETTINGS of 5 bytes", h2.FRAME_SIZE_ERROR, [h2.frame(h2.SETTINGS, 0, 0, b"12345")]),
                ("SETTINGS on a stream", h2.PROTOCOL_ERROR, [h2.frame(h2.SETTINGS, 0, 1)]),
                ("push that is neither on nor off", h2.PROTOCOL_ERROR, [h2.settings((h2.ENABLE_PUSH, 2))]),
                ("a window beyond all bounds", h2.FLOW_CONTROL_ERROR,
                 [h2.settings((h2.INITIAL_WINDOW_SIZE, 0x80000000))]),
                ("frames of 1 byte", h2.PROTOCOL_ERROR, [h2.settings((h2.MAX_FRAME_SIZE, 1))]),
                ("a window that overflows", h2.FLOW_CONTROL_ERROR, [h2.window(0, 0x7fffffff)]),
                ("a window of 0", h2.PROTOCOL_ERROR, [h2.window(0, 0)]),
                ("a promise", h2.PROTOCOL_ERROR,
                 [h2.headers(1, **POST), h2.frame(h2.PUSH_PROMISE, 4, 1, b"\0\0\0\2" + h2.block())]),
                ("CONTINUATION of nothing", h2.PROTOCOL_ERROR, [h2.frame(h2.CONTINUATION, 4, 1, b"")]),
                ("a frame within a head", h2.PROTOCOL_ERROR,
                 [h2.headers(1, flags=h2.END_STREAM), h2.ping()]),
                ("padding longer than the frame", h2.PROTOCOL_ERROR,
                 [h2.headers(1, **POST), h2.frame(h2.DATA, h2.PADDED, 1, b"\xff123")])):
            with self.subTest(word), self.attack() as peer:
                peer.send(*pieces)
                self.assertEqual(peer.expect_goaway(), code)

    def test_padding_is_taken(self):
        with self.attack() as peer:
            peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.PADDED, 1,
                               b"\x05" + h2.block(method="POST", path="/echo") + b"\0" * 5),
                      h2.data(1, b"\x03abc\0\0\0", h2.PADDED | h2.END_STREAM))
            self.assertEqual(peer.body(1), b"abc")

    def test_more_streams_than_were_allowed(self):
        with self.attack() as peer:
            allowed = 100  # RFC 9113 recommends no less
            peer.send(*[self.head(n, path="/bytes/1000000") for n in range(1, 2 * allowed + 20, 2)])
            codes = {peer.expect_reset(n) for n in range(2 * allowed + 1, 2 * allowed + 20, 2)}
            self.assertEqual(codes, {h2.REFUSED_STREAM})

    def test_prefaces_that_are_none(self):
        """Behind a first line that is HTTP/2's, and in its place."""
        for word, preface in (
                ("cut", h2.PREFACE[:-4] + b"XX\r\n\r\n"), ("no SETTINGS", h2.PREFACE + h2.ping()),
                ("bytes", bytes(range(256))), ("zeros", b"\0" * 1000),
                ("another method", b"PRX * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                ("another version", b"PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n")):
            with self.subTest(word), self.attack(preface=None) as peer:
                peer.send(preface)
                peer.sock.shutdown(1)
                peer.expect_end()


class Readers(HostileCase):
    """Clients that take little, or nothing."""

    def test_a_hundred_bodies_and_no_window(self):
        with self.attack(window=0) as peer:
            peer.send(*[self.head(n, path="/bytes/10000000") for n in range(1, 200, 2)])
            for n in range(1, 200, 2):
                self.assertEqual(peer.expect_status(n), 200)
            self.be_served()

    def test_bodies_that_are_not_read(self):
        self.check_bodies_that_are_not_read()

    def test_echoes_that_are_not_read(self):
        """What is not taken back is not asked for: the client's windows close."""
        with self.attack(small=True, window=0) as peer:
            streams = range(1, 201, 2)
            peer.send(*[self.head(n, **POST) for n in streams])
            self.flood(peer, [h2.data(n, b"x" * 16000) for n in streams] * 4, read=False)


if __name__ == "__main__":
    weftlib.main()
