# SPDX-License-Identifier: MIT
"""A small HTTP/2 server by Python's h2, without TLS and with it: server.py PLAIN TLS CERT KEY LOG.

/echo sends the request's body back, /trailers ends with a trailer, /early says 103 first, /reset resets,
/bytes/N is N bytes, all else is the path itself. A line for every request goes to LOG.
"""
import socketserver
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions

PLAIN, TLS, CERT, KEY, LOG = sys.argv[1:6]
LOCK = threading.Lock()


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8"))
        self.requests, self.waiting = {}, {}
        self.h2.initiate_connection()
        self.request.sendall(self.h2.data_to_send())
        while data := self.request.recv(65536):
            for event in self.h2.receive_data(data):
                self.see(event)
            self.push()
            self.request.sendall(self.h2.data_to_send())

    def see(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.requests[event.stream_id] = (dict(event.headers), bytearray(), {})
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id][1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.requests[event.stream_id][2].update(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            self.answer(event.stream_id, *self.requests.pop(event.stream_id))
        elif isinstance(event, h2.events.StreamReset):
            self.waiting.pop(event.stream_id, None)

    def answer(self, stream, head, body, trailers):
        path = head[":path"]
        with LOCK, open(LOG, "a", encoding="utf-8") as log:
            log.write(f"conn={self.client_address[1]} status=200 method={head[':method']} path={path} "
                      f"trailer={trailers.get('x-trailer', '')}\n")
        if path == "/reset":
            self.h2.reset_stream(stream, 2)
            return
        if path == "/early":
            self.h2.send_headers(stream, [(":status", "103"), ("link", "</style.css>")])
        if path.startswith("/bytes/"):
            body = b"x" * int(path[7:])
        elif path != "/echo":
            body = path.encode()
        self.h2.send_headers(stream, [(":status", "200"), ("content-length", str(len(body)))])
        self.waiting[stream] = (bytes(body), path == "/trailers")

    def push(self):
        """As much as the windows let through, of each a piece."""
        for stream in list(self.waiting):
            body, trailers = self.waiting.pop(stream)
            while body and (room := min(self.h2.local_flow_control_window(stream),
                                        self.h2.max_outbound_frame_size)):
                self.h2.send_data(stream, body[:room])
                body = body[room:]
            if body:
                self.waiting[stream] = (body, trailers)
            elif trailers:
                self.h2.send_headers(stream, [("x-trailer", "yes")], end_stream=True)
            else:
                self.h2.end_stream(stream)


class Server(socketserver.ThreadingTCPServer):
    """On one of the ports."""
    allow_reuse_address = daemon_threads = True
    context = None

    def get_request(self):
        sock, address = super().get_request()
        if self.context:
            sock = self.context.wrap_socket(sock, server_side=True)
        return sock, address


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
context.set_alpn_protocols(["h2"])
secure = Server(("127.0.0.1", int(TLS)), Handler)
secure.context = context
threading.Thread(target=secure.serve_forever, daemon=True).start()
Server(("127.0.0.1", int(PLAIN)), Handler).serve_forever()
