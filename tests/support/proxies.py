# SPDX-License-Identifier: MIT
"""Two small proxies for tests: CONNECT, and SOCKS5 without authentication. They count, and can refuse."""
import socket
import threading


class Proxy:
    """A thread for each direction; as a context manager. .asked: the targets that were asked for."""

    def __init__(self, kind, refuse=False):
        self.kind, self.refuse, self.asked = kind, refuse, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{kind}://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        try:
            target = self._shake_connect(conn) if self.kind == "http" else self._shake_socks(conn)
            if not target:
                conn.close()
                return
            self._join(conn, socket.create_connection(("127.0.0.1", target[1])))
        except OSError:
            conn.close()

    @staticmethod
    def _exactly(conn, n):
        data = b""
        while len(data) < n:
            piece = conn.recv(n - len(data))
            if not piece:
                raise OSError("it ended")
            data += piece
        return data

    def _shake_connect(self, conn):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._exactly(conn, 1)
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        assert method == "CONNECT", head
        self.asked.append(target)
        if self.refuse:
            conn.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return None
        for byte in b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n":
            conn.sendall(bytes([byte]))
        host, _, port = target.rpartition(":")
        return host, int(port)

    def _shake_socks(self, conn):
        methods = self._exactly(conn, 2)[1]
        assert 0 in self._exactly(conn, methods)
        conn.sendall(b"\5\0")
        _, command, _, kind = self._exactly(conn, 4)
        assert command == 1
        if kind == 3:
            host = self._exactly(conn, self._exactly(conn, 1)[0]).decode()
        else:
            host = socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6,
                                    self._exactly(conn, 4 if kind == 1 else 16))
        port = int.from_bytes(self._exactly(conn, 2), "big")
        self.asked.append(f"{host}:{port}")
        conn.sendall(b"\5" + bytes([2 if self.refuse else 0]) + b"\0\1\0\0\0\0\0\0")
        return None if self.refuse else (host, port)

    @staticmethod
    def _join(a, b):
        def copy(here, there):
            try:
                while piece := here.recv(65536):
                    there.sendall(piece)
                there.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        other = threading.Thread(target=copy, args=(b, a), daemon=True)
        other.start()
        copy(a, b)
        other.join()
        a.close()
        b.close()
