# SPDX-License-Identifier: MIT
"""HTTP/2 by hand: frames as a test wants them, right or wrong, and what is answered."""
import collections
import select
import socket
import struct
import time

import weftlib

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
PRIORITY_UPDATE = 16

END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITISED = 4, 8, 32

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM, INADEQUATE_SECURITY, HTTP_1_1_REQUIRED = range(14)

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)

Frame = collections.namedtuple("Frame", "type flags stream payload")


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """One frame; its length may be a lie, and bit 31 of its stream is reserved."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *p) for p in pairs))


def ping(text=b"12345678"):
    return frame(PING, 0, 0, text)


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def window(stream, more):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", more))


def goaway(last=0, code=NO_ERROR):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


def integer(value, bits, first=0):
    """RFC 7541 section 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 | 128]), value // 128
    return out + bytes([value])


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return integer(len(value), 7) + value


def field(name, value, keep=False):
    """A literal; keep: it goes into the dynamic table."""
    return (b"\x40" if keep else b"\x00") + text(name) + text(value)


def indexed(number):
    return integer(number, 7, 0x80)


def block(*fields, method="GET", path="/hello", scheme="http", authority="localhost"):
    """A head; a pseudo-header that is None is left out."""
    pseudo = ((":method", method), (":scheme", scheme), (":path", path),
              (":authority", authority))
    return b"".join(field(n, v) for n, v in pseudo if v is not None) + \
        b"".join(f if isinstance(f, bytes) else field(*f) for f in fields)


def headers(stream, payload=None, flags=END_HEADERS | END_STREAM, **head):
    return frame(HEADERS, flags, stream, block(**head) if payload is None else payload)


def data(stream, payload=b"", flags=0):
    return frame(DATA, flags, stream, payload)


# ---- what comes back: a peer that allows no dynamic table has little to decode ----

STATIC_STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}


def _integer(block, at, bits):
    value = block[at] & ((1 << bits) - 1)
    at += 1
    if value < (1 << bits) - 1:
        return value, at
    shift = 0
    while True:
        value += (block[at] & 127) << shift
        shift += 7
        at += 1
        if block[at - 1] < 128:
            return value, at


def _digits(coded):
    """Three digits in Huffman code: 0 to 2 have five bits, the others six."""
    bits, out = "".join(f"{b:08b}" for b in coded), ""
    while len(out) < 3:
        if bits[:5] in ("00000", "00001", "00010"):
            out, bits = out + str(int(bits[:5], 2)), bits[5:]
        else:
            out, bits = out + str(int(bits[:6], 2) - 22), bits[6:]
    return out


def status_of(block):
    """The :status of a head, which is its first field."""
    at = 0
    while block[at] & 0xe0 == 0x20:
        _, at = _integer(block, at, 5)
    if block[at] & 0x80:
        return STATIC_STATUS[_integer(block, at, 7)[0]]
    name, at = _integer(block, at, 6 if block[at] & 0x40 else 4)
    assert name in STATIC_STATUS, f"no :status: {block}"
    coded, (length, at) = block[at] & 0x80, _integer(block, at, 7)
    value = block[at:at + length]
    return int(_digits(value) if coded else value)


class Peer:
    """A client's end of a connection."""

    def __init__(self, port, tls=None, preface=PREFACE, window=None, table=0, small=False):
        self.frames, self.got, self.over = [], b"", False
        self.sock = socket.socket()
        if small:  # or the kernel takes what is not read
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(weftlib.SECONDS)
        self.sock.connect(("127.0.0.1", port))
        if tls:
            tls.set_alpn_protocols(["h2"])
            self.sock = tls.wrap_socket(self.sock)
        if preface:
            first = [(HEADER_TABLE_SIZE, table)]
            first += [(INITIAL_WINDOW_SIZE, window)] if window is not None else []
            self.send(preface + settings(*first))

    def send(self, *pieces):
        """What the server does not want any more gets lost."""
        try:
            self.sock.sendall(b"".join(pieces))
        except (ConnectionError, BrokenPipeError):
            pass

    def flood(self, pieces, read=True):
        """Sends as much as the server takes, reading meanwhile or not; False: the server had enough."""
        todo, pieces = b"", iter(pieces)
        deadline = time.monotonic() + weftlib.SECONDS
        stuck = 0
        while stuck < 3:
            assert time.monotonic() < deadline, "the flood does not end"
            if len(todo) < 65536:
                todo += b"".join(p for _, p in zip(range(2000), pieces))
            if not todo:
                return True
            can_read, can_write, _ = select.select([self.sock] if read else [], [self.sock], [],
                                                   0.1 if not read else 1)
            stuck = 0 if can_write or can_read else stuck + 1
            if can_read and not self.receive():
                return False
            if any(f.type == GOAWAY for f in self.frames):
                return False
            try:
                if can_write:
                    todo = todo[self.sock.send(todo[:65536]):]
            except OSError:
                return False
        return False

    def receive(self):
        try:
            piece = self.sock.recv(65536)
        except (ConnectionError, TimeoutError):
            piece = b""
        self.got += piece
        self.over = self.over or not piece
        while len(self.got) >= 9:
            length = int.from_bytes(self.got[:3], "big")
            if len(self.got) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", self.got[3:9])
            self.frames.append(Frame(kind, flags, stream, self.got[9:9 + length]))
            self.got = self.got[9 + length:]
        return bool(piece)

    def find(self, kind, stream=None, flags=0):
        """The first such frame that has come, or None."""
        for f in self.frames:
            if f.type == kind and f.flags & flags == flags and stream in (None, f.stream):
                return f
        return None

    def expect(self, kind, stream=None, flags=0):
        """Waits for such a frame."""
        while not (found := self.find(kind, stream, flags)):
            assert not self.over and self.receive(), \
                f"the end, and no frame of type {kind}: {self.frames[-8:]}"
        return found

    def expect_end(self):
        while not self.over:
            self.receive()

    def expect_goaway(self):
        """The error code of the last GOAWAY, behind which the connection ends."""
        self.expect_end()
        codes = [struct.unpack(">I", f.payload[4:8])[0] for f in self.frames if f.type == GOAWAY]
        assert codes, f"no GOAWAY: {self.frames[-8:]}"
        return codes[-1]

    def expect_reset(self, stream):
        """The error code of its RST_STREAM."""
        return struct.unpack(">I", self.expect(RST_STREAM, stream).payload)[0]

    def expect_status(self, stream):
        return status_of(self.expect(HEADERS, stream).payload)

    def body(self, stream):
        """Of a response that has ended, or is about to."""
        while not any(f.stream == stream and f.type in (DATA, HEADERS) and f.flags & END_STREAM
                      for f in self.frames):
            assert not self.over and self.receive(), f"no end of stream {stream}"
        return b"".join(f.payload for f in self.frames if (f.type, f.stream) == (DATA, stream))

    def close(self):
        self.sock.close()
