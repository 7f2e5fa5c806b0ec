# SPDX-License-Identifier: MIT
"""A role of a stranger's, built alone against an installed Weft, in an unmodified `weft serve`."""
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

# Debian's, where another python comes first
sys.path.append("/usr/lib/python3/dist-packages")
try:
    import h2.config
    import h2.connection
    import h2.events
except ImportError:
    weftlib.skip_all("python3-h2 is missing")
if not shutil.which("cmake"):
    weftlib.skip_all("cmake is missing")

BUILDING = 400  # seconds for a step of building
UPGRADE = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n"


def receive(sock, enough):
    data = b""
    while not enough(data):
        piece = sock.recv(65536)
        if not piece:
            raise AssertionError(f"ended behind {data!r}")
        data += piece
    return data


class H2:
    """A connection, and what came on each of its streams."""

    def __init__(self, sock, scheme):
        self.sock, self.scheme, self.next = sock, scheme, 1
        self.link = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.link.initiate_connection()
        self.status, self.data, self.ended, self.settings = {}, {}, set(), {}
        self.send()

    def send(self):
        self.sock.sendall(self.link.data_to_send())

    def until(self, condition):
        while not condition():
            piece = self.sock.recv(65536)
            if not piece:
                raise AssertionError(f"ended: {self.status} {self.data}")
            for event in self.link.receive_data(piece):
                if isinstance(event, h2.events.RemoteSettingsChanged):
                    self.settings = {int(k): v.new_value for k, v in event.changed_settings.items()}
                elif isinstance(event, h2.events.ResponseReceived):
                    self.status[event.stream_id] = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.DataReceived):
                    self.data[event.stream_id] = self.data.get(event.stream_id, b"") + event.data
                    self.link.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.ended.add(event.stream_id)
            self.send()

    def connect(self, protocol, path="/x"):
        """An extended CONNECT; its stream, once the answer came."""
        number, self.next = self.next, self.next + 2
        self.link.send_headers(number, [(":method", "CONNECT"), (":protocol", protocol), (":scheme", self.scheme),
                                        (":authority", "a"), (":path", path)])
        self.send()
        self.until(lambda: number in self.status)
        return number

    def say(self, number, data, end=False):
        self.link.send_data(number, data, end_stream=end)
        self.send()


class RolePlugin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name).resolve()
        prefix, build = cls.folder / "prefix", cls.folder / "build"
        for command in (
                ["cmake", "--install", weftlib.BUILD, "--prefix", prefix],
                ["cmake", "-S", weftlib.SOURCE / "minimal-examples" / "role-plugin", "-B", build,
                 f"-DCMAKE_PREFIX_PATH={prefix}"],
                ["cmake", "--build", build]):
            done = weftlib.run(*command, timeout=BUILDING)
            if done.returncode:
                raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        cls.weft, cls.module = prefix / "bin" / "weft", build / "role-lines.so"

    def serve(self, scheme, *arguments):
        extra = ["--self-signed"] if scheme == "https" else []
        direct = "lines+tls" if scheme == "https" else "lines"
        return weftlib.Program([self.weft, "serve", "--plugin", self.module, "--route", "/x=lines", "--listen",
                                f"{scheme}://127.0.0.1:0", "--listen", f"{direct}://127.0.0.1:0", "--drain-seconds", "1", *extra,
                                *arguments], listeners=2)

    def connect(self, server, scheme, alpn, index=0):
        port = int(server.urls[index].rpartition(":")[2])
        sock = socket.create_connection(("127.0.0.1", port), timeout=weftlib.SECONDS)
        self.addCleanup(sock.close)
        if scheme == "https":
            context = weftlib.unverified()
            context.set_alpn_protocols([alpn])
            sock = context.wrap_socket(sock, server_hostname="localhost")
            self.addCleanup(sock.close)
        return sock

    def test_it_is_spoken_over_each_carrier_and_directly(self):
        for words, arguments, scheme in weftlib.variants():
            with self.subTest(**words), self.serve(scheme, *arguments) as server:
                sock = self.connect(server, scheme, "http/1.1")
                sock.sendall(UPGRADE + b"one\ntw")
                got = receive(sock, lambda data: data.endswith(b"\r\n\r\none\n"))
                self.assertTrue(got.startswith(b"HTTP/1.1 101 "), got)
                sock.sendall(b"o\n")
                self.assertEqual(receive(sock, lambda data: data.endswith(b"\n")), b"two\n")
                link = H2(self.connect(server, scheme, "h2"), scheme)
                one, two = link.connect("lines"), link.connect("lines")
                self.assertEqual(link.settings[8], 1)
                self.assertEqual((link.status[one], link.status[two]), ("200", "200"))
                link.say(one, b"first\n")
                link.say(two, b"second\n" * 1000, end=True)
                link.until(lambda: two in link.ended and link.data.get(one))
                self.assertEqual((link.data[one], link.data[two]), (b"first\n", b"second\n" * 1000))
                link.link.reset_stream(one)
                link.send()
                self.assertEqual(link.status[link.connect("lines")], "200")
                self.assertEqual(link.status[link.connect("other")], "501")
                self.assertEqual(link.status[link.connect("lines", "/hello")], "501")
                sock = self.connect(server, scheme, "lines", index=1)
                sock.sendall(b"direct\n")
                self.assertEqual(receive(sock, lambda data: data.endswith(b"\n")), b"direct\n")

    def test_who_does_not_ask_gets_426(self):
        with self.serve("http", "--tls", "none") as server:
            done = weftlib.run("curl", "--silent", "--include", "--max-time", "30", f"{server.url}/x")
            self.assertIn("HTTP/1.1 426 Upgrade Required", done.stdout)
            self.assertIn("upgrade: lines", done.stdout)

    def test_one_for_another_abi_is_refused(self):
        other = weftlib.BUILD / "tests" / "modules" / "other-abi.so"
        done = weftlib.run(self.weft, "serve", "--plugin", other)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"made for plugin ABI \d+, this Weft \S+ has ABI \d+: rebuild it with")

    def test_wrong_routes_are_refused(self):
        for route, reason in (("x=lines", "expected /PATH=ROLE"), ("/x", "expected /PATH=ROLE"),
                              ("/x=nobody", 'no role plugin "nobody"'), ("/x=raw", "it has no token")):
            done = weftlib.run(self.weft, "serve", "--listen", "http://127.0.0.1:0", "--route", route)
            self.assertEqual(done.returncode, 2, route)
            self.assertIn(reason, done.stderr)


if __name__ == "__main__":
    weftlib.main()
