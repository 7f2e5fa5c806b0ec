# SPDX-License-Identifier: MIT
"""Python's h2 as a client of `weft serve`: h2_client.py PORT tls|plain; tells what it got as JSON."""
import json
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events


class Client:
    """One connection."""

    def __init__(self, port, tls):
        self.scheme = "https" if tls else "http"
        self.sock = socket.create_connection(("127.0.0.1", port), 30)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock)
            assert self.sock.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.got, self.out, self.goaway = {}, {}, None
        self.push()

    def ask(self, path, method="GET", body=b"", trailers=()):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", self.scheme), (":path", path),
                                      (":authority", "localhost")], end_stream=not body)
        self.got[stream] = {"status": 0, "body": b"", "over": False}
        if body:
            self.out[stream] = (body, trailers)
        self.push()
        return stream

    def push(self):
        """As much of the bodies as the windows let through."""
        for stream in list(self.out):
            body, trailers = self.out.pop(stream)
            while body and (room := min(self.h2.local_flow_control_window(stream),
                                        self.h2.max_outbound_frame_size)):
                self.h2.send_data(stream, body[:room], pad_length=3 if room > 300 and len(body) < 200 else None)
                body = body[room:]
            if body:
                self.out[stream] = (body, trailers)
            elif trailers:
                self.h2.send_headers(stream, trailers, end_stream=True)
            else:
                self.h2.end_stream(stream)
        self.sock.sendall(self.h2.data_to_send())

    def turn(self):
        data = self.sock.recv(65536)
        for event in self.h2.receive_data(data) if data else []:
            seen = self.got.get(getattr(event, "stream_id", None))
            if isinstance(event, h2.events.ResponseReceived):
                seen["status"] = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.DataReceived):
                seen["body"] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                seen["over"] = True
            elif isinstance(event, h2.events.StreamReset):
                raise SystemExit(f"stream {event.stream_id} was reset: {event.error_code}")
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = event.error_code
        self.push()
        return bool(data)

    def wait(self, *streams):
        while not all(self.got[s]["over"] for s in streams):
            assert self.turn(), "the end comes early"
        return [self.got[s] for s in streams]

    def end(self):
        """Our goodbye, and what the server says to it."""
        self.h2.close_connection()
        self.push()
        while self.turn():
            pass
        return self.goaway or 0


client = Client(int(sys.argv[1]), sys.argv[2] == "tls")
report = {}
report["hello"] = client.wait(client.ask("/hello"))[0]["body"].decode()
report["echo"] = len(client.wait(client.ask("/echo", "POST", b"x" * 200000))[0]["body"])
report["big"] = len(client.wait(client.ask("/bytes/1000000"))[0]["body"])
head = client.wait(client.ask("/bytes/1000", "HEAD"))[0]
report["head"] = [head["status"], len(head["body"])]
report["trailers"] = client.wait(client.ask("/echo", "POST", b"abc", [("x-sum", "1")]))[0]["body"].decode()
report["together"] = [len(r["body"]) for r in client.wait(*[client.ask("/bytes/100000") for _ in range(50)])]
report["goaway"] = client.end()
print(json.dumps(report))
