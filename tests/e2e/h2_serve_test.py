# SPDX-License-Identifier: MIT
"""What `weft serve` does of HTTP/2 beyond answering: priorities, flow control, extended CONNECT, and its end."""
import os
import signal
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import h2frames as h2  # noqa: E402
import weftlib  # noqa: E402
from cases import FolderCase  # noqa: E402

if "h2" not in weftlib.ROLES:
    weftlib.skip_all("a build without HTTP/2")

SIZE = 60000  # all of it waits in the outbox
ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES = 8, 9


class H2Case(FolderCase):
    def serve(self, *arguments):
        server = weftlib.serve(*arguments)
        self.addCleanup(server.__exit__, None, None, None)
        server.__enter__()
        return server

    def connect(self, server, **options):
        peer = h2.Peer(server.port, **options)
        self.addCleanup(peer.close)
        return peer

    def order(self, peer, streams):
        """The streams of all DATA frames that have something in them, until all streams have ended."""
        for stream in streams:
            peer.body(stream)
        return [f.stream for f in peer.frames if f.type == h2.DATA and f.payload]


class Priorities(H2Case):
    """RFC 9218, by the field and by PRIORITY_UPDATE."""

    def ask(self, *priorities, later=b""):
        """Bodies that wait for their windows, so that all of them are there when the first byte may go."""
        peer = self.connect(self.serve(), window=0)
        peer.expect(h2.SETTINGS, flags=h2.ACK)
        streams = range(1, 1 + 2 * len(priorities), 2)
        peer.send(*[h2.headers(n, h2.block(*([("priority", p)] if p else []), path=f"/bytes/{SIZE}"))
                    for n, p in zip(streams, priorities)])
        for n in streams:
            peer.expect(h2.HEADERS, n)
        peer.send(later, h2.window(0, 1 << 30), h2.settings((h2.INITIAL_WINDOW_SIZE, 1 << 20)))
        return self.order(peer, streams)

    def test_what_is_urgent_goes_first(self):
        order = self.ask("u=7", "u=3", "u=0")
        self.assertEqual(order, sorted(order, reverse=True))
        self.assertEqual(set(order), {1, 3, 5})

    def test_the_default_is_between(self):
        order = self.ask("u=4", None, "u=2")
        self.assertEqual(order, sorted(order, reverse=True))

    def test_of_the_same_urgency_the_first_goes_first(self):
        order = self.ask("u=3", "u=3")
        self.assertEqual(order, sorted(order))

    def test_incremental_ones_share(self):
        order = self.ask("u=3, i", "u=3, i")
        changes = sum(a != b for a, b in zip(order, order[1:]))
        self.assertGreater(changes, len(order) // 2, order)

    def test_an_update_counts(self):
        order = self.ask("u=1", "u=2", later=h2.frame(
            h2.PRIORITY_UPDATE, 0, 0, struct.pack(">I", 3) + b"u=0"))
        self.assertEqual(order, sorted(order, reverse=True))

    def test_what_is_no_priority_is_ignored(self):
        order = self.ask("u=9;;", "nonsense", "u=3, i=?")
        self.assertEqual(set(order), {1, 3, 5})


class Settings(H2Case):
    def test_what_the_server_tells(self):
        peer = self.connect(self.serve())
        payload = peer.expect(h2.SETTINGS).payload
        told = dict(struct.unpack(">HI", payload[i:i + 6]) for i in range(0, len(payload), 6))
        self.assertEqual(told, {
            h2.INITIAL_WINDOW_SIZE: 65536, h2.MAX_HEADER_LIST_SIZE: 65536, h2.MAX_CONCURRENT_STREAMS: 100,
            ENABLE_CONNECT_PROTOCOL: 1, NO_RFC7540_PRIORITIES: 1})

    def test_pings_are_answered(self):
        peer = self.connect(self.serve())
        peer.send(h2.ping(b"a ping.."))
        self.assertEqual(peer.expect(h2.PING, flags=h2.ACK).payload, b"a ping..")

    def test_a_connect_without_anybody_who_takes_it(self):
        peer = self.connect(self.serve())
        peer.send(h2.headers(1, h2.block((":protocol", "websocket"), method="CONNECT"), h2.END_HEADERS))
        self.assertGreaterEqual(peer.expect_status(1), 400)
        peer.send(h2.headers(3))
        self.assertEqual(peer.expect_status(3), 200)


class FlowControl(H2Case):
    """The server asks for as much as its application takes."""

    def test_an_echo_that_is_not_taken_back_stops_the_upload(self):
        peer = self.connect(self.serve(), window=0)
        peer.send(h2.headers(1, h2.block(method="POST", path="/echo"), h2.END_HEADERS))
        piece, sent = b"x" * 1000, 0
        room = 65536
        while room - sent >= len(piece):
            peer.send(h2.data(1, piece))
            sent += len(piece)
            peer.send(h2.ping())
            peer.frames = [f for f in peer.frames if f.type != h2.PING]
            peer.expect(h2.PING, flags=h2.ACK)
            room += sum(struct.unpack(">I", f.payload)[0] for f in peer.frames
                        if (f.type, f.stream) == (h2.WINDOW_UPDATE, 1))
            peer.frames = [f for f in peer.frames if f.type != h2.WINDOW_UPDATE]
            self.assertLess(sent, 1 << 20, "it takes more and more")
        # and what was taken comes back once there is room
        peer.send(h2.window(0, 1 << 20), h2.window(1, 1 << 20), h2.data(1, b"", h2.END_STREAM))
        self.assertEqual(len(peer.body(1)), sent)


class End(H2Case):
    def goaways(self, peer):
        return [struct.unpack(">II", f.payload[:8]) for f in peer.frames if f.type == h2.GOAWAY]

    def test_a_drain_says_goodbye_twice(self):
        server = self.serve()
        peer = self.connect(server, window=0)
        peer.send(h2.headers(1, h2.block(path="/bytes/100000")))
        peer.expect(h2.HEADERS, 1)
        server.process.send_signal(signal.SIGTERM)
        peer.expect(h2.GOAWAY)
        self.assertEqual(self.goaways(peer), [(0x7fffffff, h2.NO_ERROR)])
        # one that was on its way meanwhile is still taken, up to the answer to the server's PING
        ping = peer.expect(h2.PING)
        peer.send(h2.headers(3), h2.frame(h2.PING, h2.ACK, 0, ping.payload))
        peer.expect(h2.HEADERS, 3)
        while len(self.goaways(peer)) < 2:
            self.assertTrue(peer.receive())
        self.assertEqual(self.goaways(peer)[1], (3, h2.NO_ERROR))
        peer.send(h2.window(0, 1 << 20), h2.window(1, 1 << 20), h2.window(3, 1 << 20))
        self.assertEqual(len(peer.body(1)), 100000)
        self.assertEqual(peer.body(3), b"Hello, World\n")
        peer.expect_end()
        self.assertEqual(server.wait(), 0)


if __name__ == "__main__":
    weftlib.main()
