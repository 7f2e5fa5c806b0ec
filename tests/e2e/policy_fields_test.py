# SPDX-License-Identifier: MIT
"""What each field of a policy's stream does, seen by the server or by the failure."""
import functools
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import proxies  # noqa: E402
import weftlib  # noqa: E402

if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")


def everywhere(test):
    @functools.wraps(test)
    def run(self):
        for loop, backend in weftlib.pairs():
            with self.subTest(loop=loop, tls=backend):
                test(self, ["--event", loop, "--tls", backend])
    return run


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length).decode()
        self.server.seen.append({
            "method": self.command, "path": self.path, "fields": dict(self.headers.items()), "body": body,
            "peer": self.client_address, "sni": getattr(self.connection, "sni", None),
            "alpn": getattr(self.connection, "offered", None)})
        self.send_response(203)
        self.send_header("content-length", "2")
        self.send_header("x-served-by", "python")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Plain, or TLS with a certificate of the test CA. .seen: the requests; .conns: the connections."""
    daemon_threads = True

    def __init__(self, files=None, protocols=("http/1.1",)):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.conns, self.tls = [], 0, None
        if files:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(files.cert, files.key)
            self.tls.set_alpn_protocols(list(protocols))
            self.tls.sni_callback = self._sni
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @staticmethod
    def _sni(sock, name, _):
        sock.sni = name

    def get_request(self):
        sock, address = super().get_request()
        self.conns += 1
        return sock, address

    def finish_request(self, request, client_address):
        if not self.tls:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as secure:
            secure.offered = secure.selected_alpn_protocol()
            super().finish_request(secure, client_address)

    def handle_error(self, *_):
        pass


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.files = weftlib.Certificates(cls.folder)

    def server(self, **options):
        server = Server(**options)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def get(self, where, stream, *arguments, code=0, sections=None):
        """Runs stream "s", its endpoint the server (or a port) where it says nothing else."""
        port = where if isinstance(where, int) else where.server_port
        stream = {"endpoint": "localhost", "port": port, "trust_store": "t"} | stream
        if not stream.get("tls", True):
            stream.pop("trust_store")
        file = self.folder / "p.json"
        file.write_text(json.dumps({
            "schema_version": 1, "certs": {"ca": {"pem_file": "ca.pem"}},
            "trust_stores": {"t": {"certs": ["ca"]}}, "streams": {"s": stream}} | (sections or {})))
        done = weftlib.weft("get", "--policy", file, "--stream", "s", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return done


class Where(Case):
    @everywhere
    def test_endpoint_and_port_are_where_it_goes(self, arguments):
        server = self.server(files=self.files)
        self.assertEqual(self.get(server, {}, *arguments).stdout, "ok")
        self.assertEqual(self.get(server, {"endpoint": "127.0.0.1"}, *arguments).stdout, "ok")
        self.assertEqual([r["fields"]["host"] for r in server.seen],
                         [f"localhost:{server.server_port}", f"127.0.0.1:{server.server_port}"])

    def test_a_unix_socket_is_an_endpoint(self):
        path = self.folder / "s.sock"
        with weftlib.Program([weftlib.BIN, "serve", "--listen", f"unix:{path}"]):
            file = self.folder / "u.json"
            file.write_text(json.dumps({"schema_version": 1, "streams": {
                "s": {"endpoint": f"unix:{path}", "tls": False, "path": "/hello"}}}))
            done = weftlib.weft("get", "--policy", file, "--stream", "s")
            self.assertEqual(done.stdout, "Hello, World\n", done.stderr)

    @everywhere
    def test_local_address_is_where_it_comes_from(self, arguments):
        server = self.server(files=self.files)
        self.get(server, {"endpoint": "127.0.0.1", "local_address": "127.0.0.2"}, *arguments)
        self.assertEqual(server.seen[0]["peer"][0], "127.0.0.2")

    def test_without_tls_nothing_is_encrypted(self):
        server = self.server()
        self.assertEqual(self.get(server, {"tls": False}).stdout, "ok")

    def test_protocol_is_who_speaks(self):
        server = self.server()
        self.assertEqual(self.get(server, {"tls": False, "protocol": "h1"}).stdout, "ok")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def say():
                conn, _ = listener.accept()
                conn.sendall(b"bytes as they are")
                conn.shutdown(socket.SHUT_WR)
                conn.recv(100)
                conn.close()
            threading.Thread(target=say, daemon=True).start()
            done = self.get(listener.getsockname()[1], {"tls": False, "protocol": "raw"}, "--data", "x")
            self.assertEqual(done.stdout, "bytes as they are")

    @everywhere
    def test_share_alone_is_a_connection_of_its_own(self, arguments):
        for share, conns in (("pool", 1), ("alone", 3)):
            server = self.server(files=self.files)
            self.get(server, {"share": share}, "--count", "3", *arguments)
            self.assertEqual(server.conns, conns)


class Trust(Case):
    @everywhere
    def test_faults_that_are_allowed_are_passed(self, arguments):
        server = self.server(files=self.files)
        stranger = {"trust_stores": {"t": {"system": True}}, "certs": {}}
        self.get(server, {}, *arguments, code=3, sections=stranger)
        done = self.get(server, {"allow": ["unknown_ca"]}, *arguments, sections=stranger)
        self.assertIn("certificate checks switched off: unknown issuer", done.stderr)
        self.get(server, {"allow": ["expired"]}, *arguments, code=3, sections=stranger)

    @everywhere
    def test_sni_and_alpn_are_what_the_server_hears(self, arguments):
        server = self.server(files=self.files, protocols=("second", "http/1.1"))
        self.get(server, {}, *arguments)
        self.get(server, {"sni": "other.example", "alpn": ["first", "second"]}, *arguments)
        self.assertEqual([(r["sni"], r["alpn"]) for r in server.seen],
                         [("localhost", "http/1.1"), ("other.example", "second")])


class Request(Case):
    STREAM = {"path": "/v1/${device}?q=${word}", "headers": {"content-type": "text/x", "x-note": "for ${device}"},
              "expect": {"200-299": "fine"},
              "metadata": {"device": {}, "word": {}, "key": {"header": "x-api-key"},
                           "by": {"response_header": "x-served-by"}}}
    METADATA = ["--metadata", "device=a/../b", "--metadata", "word=x&y=ä", "--metadata", "key=secret"]

    @everywhere
    def test_metadata_goes_where_the_policy_says(self, arguments):
        server = self.server(files=self.files)
        done = self.get(server, self.STREAM, *self.METADATA, "--explain", *arguments)
        seen = server.seen[0]
        self.assertEqual(seen["path"], "/v1/a%2F..%2Fb?q=x%26y%3D%C3%A4")
        fields = {k.lower(): v for k, v in seen["fields"].items()}
        self.assertEqual(fields["x-note"], "for a/../b")
        self.assertEqual(fields["x-api-key"], "secret")
        self.assertEqual(fields["content-type"], "text/x")
        self.assertIn("fine", done.stderr)

    def test_method_is_get_or_post_with_a_body_or_what_is_said(self):
        server = self.server(files=self.files)
        self.get(server, {})
        self.get(server, {}, "--data", "body")
        self.get(server, {"method": "PUT"}, "--data", "body")
        self.assertEqual([(r["method"], r["body"]) for r in server.seen],
                         [("GET", ""), ("POST", "body"), ("PUT", "body")])

    def test_a_line_break_does_not_get_into_a_field(self):
        server = self.server(files=self.files)
        done = self.get(server, self.STREAM, "--metadata", "device=x", "--metadata", "word=y",
                        "--metadata", "key=a\r\nx-evil: 1", code=2)
        self.assertIn("x-api-key", done.stderr)
        self.assertEqual(server.seen, [])


class Times(Case):
    """Servers that keep one waiting, each in another way."""

    def listener(self, serve, backlog=16):
        listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.addCleanup(listener.close)
        self.conns = []

        def accept():
            while True:
                try:
                    conn, _ = listener.accept()
                except OSError:
                    return
                self.conns.append(conn)
                threading.Thread(target=serve, args=(conn,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    def ends(self, port, stream, what, *arguments):
        done = self.get(port, {"endpoint": "127.0.0.1"} | stream, *arguments, code=1)
        self.assertRegex(done.stderr, what)

    def test_handshake(self):
        port = self.listener(lambda conn: conn.recv(10000))
        self.ends(port, {"handshake_ms": 100}, "timeout")

    def test_header(self):
        port = self.listener(lambda conn: conn.recv(10000))
        self.ends(port, {"tls": False, "header_ms": 100, "protocol": "h1"}, "timeout")

    def test_idle(self):
        def serve(conn):
            conn.recv(10000)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        self.ends(self.listener(serve), {"tls": False, "idle_ms": 100}, "timeout")

    def test_total(self):
        def serve(conn):
            conn.recv(10000)
            conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                while True:
                    conn.sendall(b"1\r\nx\r\n")
                    threading.Event().wait(0.02)
            except OSError:
                pass
        self.ends(self.listener(serve), {"tls": False, "timeout_ms": 200}, "total time")

    def test_flush(self):
        big = self.folder / "big"
        big.write_bytes(bytes(32 << 20))
        port = self.listener(lambda conn: conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096))
        self.ends(port, {"tls": False, "flush_ms": 200}, "timeout", "--data-file", big)

    def test_queue(self):
        port = self.listener(lambda conn: conn.recv(10000))
        self.ends(port, {"tls": False, "queue_ms": 100, "header_ms": 2000}, "queue_ms", "--count", "2", "--parallel", "2")

    def test_connect(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(listener.close)
        full = []
        for _ in range(4):  # more than the backlog takes: further ones are not answered
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
            full.append(sock)
            self.addCleanup(sock.close)
        self.ends(listener.getsockname()[1], {"tls": False, "connect_ms": 200}, "timeout")


class Proxies(Case):
    @everywhere
    def test_streams_go_through_a_proxy_and_share_the_way(self, arguments):
        for kind in ("http", "socks5"):
            for tls in (True, False):
                server = self.server(files=self.files if tls else None)
                with proxies.Proxy(kind) as proxy:
                    stream = {"proxy": proxy.url, "tls": tls}
                    self.get(server, stream, "--count", "3", *arguments)
                    self.assertEqual(proxy.asked, [f"localhost:{server.server_port}"])
                    self.assertEqual((server.conns, len(server.seen)), (1, 3))

    def test_an_address_is_asked_for_as_one(self):
        server = self.server(files=self.files)
        with proxies.Proxy("socks5") as proxy:
            self.get(server, {"proxy": proxy.url, "endpoint": "127.0.0.1"})
            self.assertEqual(proxy.asked, [f"127.0.0.1:{server.server_port}"])

    def test_one_that_refuses_is_named(self):
        for kind, text in (("http", "answered 403"), ("socks5", "rule")):
            with proxies.Proxy(kind, refuse=True) as proxy:
                done = self.get(1, {"proxy": proxy.url}, code=1)
                self.assertIn(proxy.url, done.stderr)
                self.assertIn(text, done.stderr)

    def test_one_that_is_not_there_and_one_that_talks_nonsense(self):
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        done = self.get(1, {"proxy": f"http://127.0.0.1:{port}"}, code=1)
        self.assertIn("refused", done.stderr)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def say():
                for _ in range(2):
                    conn, _ = listener.accept()
                    conn.sendall(b"SSH-2.0-nonsense\r\n")
                    conn.recv(1000)
                    conn.close()
            threading.Thread(target=say, daemon=True).start()
            done = self.get(1, {"proxy": f"http://127.0.0.1:{listener.getsockname()[1]}"}, code=1)
            self.assertIn("answered with something else than HTTP", done.stderr)

    def test_one_that_never_answers_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            done = self.get(1, {"proxy": f"socks5://127.0.0.1:{silent.getsockname()[1]}", "tls": False,
                                "timeout_ms": 300}, code=1)
            self.assertIn("timeout", done.stderr)


class Documented(unittest.TestCase):
    """docs/policy.md has every key, and the tests that it names exist."""
    TEXT = (weftlib.SOURCE / "docs" / "policy.md").read_text()

    def test_every_key_has_its_row(self):
        schema = json.loads((weftlib.SOURCE / "share" / "weft" / "policy.schema.json").read_text())
        rows = set(re.findall(r"`([a-z0-9_]+)`", "\n".join(
            line.split("|")[1] for line in self.TEXT.splitlines() if line.startswith("| `"))))
        known = set()
        for name, section in schema["properties"].items():
            known.add(name)
            known |= set(section.get("additionalProperties", {}).get("properties", {}))
        known.discard("$schema")
        self.assertEqual(known - rows, set())
        self.assertEqual(rows - known, set())

    def test_every_test_that_is_named_exists(self):
        named = re.findall(r"`(\w+_test): (\w+)`", self.TEXT)
        self.assertGreater(len(named), 30)
        files = {}
        for file in (weftlib.SOURCE / "tests").rglob("*"):
            if file.suffix in (".py", ".c"):
                files.setdefault(file.stem, []).append(file.read_text())
        for file, name in named:
            self.assertTrue(any(re.search(rf"\b{name}\(", text) for text in files.get(file, [])),
                            f"{file}: {name}")


if __name__ == "__main__":
    weftlib.main()
