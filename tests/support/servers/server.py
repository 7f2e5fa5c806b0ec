# SPDX-License-Identifier: MIT
"""Python's http.server, with and without TLS: the files of a folder, and /echo, /chunked, /moved.

server.py PLAIN_PORT TLS_PORT CERT KEY ROOT LOG VERSION
"""
import functools
import http.server
import pathlib
import ssl
import sys
import threading

PLAIN, TLS, CERT, KEY, ROOT, LOG, VERSION = sys.argv[1:]
logged = open(LOG, "a", buffering=1, encoding="utf-8")


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = VERSION

    def log_request(self, code="-", size="-"):
        words = {"conn": self.client_address[1], "status": int(code), "method": self.command,
                 "path": self.path}
        if isinstance(self.connection, ssl.SSLSocket):
            words |= {"reused": "r" if self.connection.session_reused else ".",
                      "version": self.connection.version(),
                      "alpn": self.connection.selected_alpn_protocol()}
        logged.write(" ".join(f"{key}={value}" for key, value in words.items()) + "\n")

    def body(self):
        """What came with the request."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b"\n", b""):
            pass
        return body

    def do_POST(self):
        body = self.body()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/page.html")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/chunked" and VERSION == "HTTP/1.1":
            self.chunked()
        else:
            super().do_GET()

    def chunked(self):
        """The page, in pieces; with an extension and a trailer field, which nobody has to know."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        page = (pathlib.Path(ROOT) / "page.html").read_bytes()
        for at in range(0, len(page), 1000):
            piece = page[at:at + 1000]
            self.wfile.write(b"%x;part=%d\r\n%s\r\n" % (len(piece), at, piece))
        self.wfile.write(b"0\r\nX-Pieces: yes\r\n\r\n")


class Secure(http.server.ThreadingHTTPServer):
    """Each handshake in the thread of its connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def finish_request(self, request, client_address):
        try:
            request = self.context.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            return
        super().finish_request(request, client_address)
        try:
            request.unwrap()
        except (OSError, ssl.SSLError):
            pass
        request.close()


Secure.context.load_cert_chain(CERT, KEY)
Secure.context.set_alpn_protocols(["http/1.1"])
handler = functools.partial(Handler, directory=ROOT)
secure = Secure(("127.0.0.1", int(TLS)), handler)
threading.Thread(target=secure.serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", int(PLAIN)), handler).serve_forever()
