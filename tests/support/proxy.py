#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small proxy for tests: CONNECT and SOCKS 5, on one port each. python3 proxy.py [--say TEXT]

Prints "PORT-OF-CONNECT PORT-OF-SOCKS", then a line for each tunnel: "connect HOST PORT" or "socks TYPE HOST PORT".
Names are resolved here: *.test is this machine. --say: what CONNECT is answered with, instead.
"""
import argparse
import ipaddress
import socket
import struct
import sys
import threading


def resolve(host):
    return "127.0.0.1" if host.endswith(".test") else host


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def copy(src, dst):
    try:
        while data := src.recv(65536):
            dst.sendall(data)
        dst.shutdown(socket.SHUT_WR)
    except OSError:
        for sock in (src, dst):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def tunnel(client, server):
    there = threading.Thread(target=copy, args=(client, server), daemon=True)
    there.start()
    copy(server, client)
    there.join()
    client.close()
    server.close()


def tell(*words):
    print(*words, flush=True)


def serve_connect(client, say):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(client, 1)
    method, authority, version = head.split(b"\r\n")[0].decode().split(" ")
    host, port = authority.rsplit(":", 1)
    tell("connect", host, port)
    if f"\r\nHost: {authority}\r\n".encode() not in head or method != "CONNECT" or version != "HTTP/1.1":
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return
    if say:
        client.sendall(say)
        client.close()
        return
    try:
        server = socket.create_connection((resolve(host.strip("[]")), int(port)), 10)
    except OSError:
        client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
        client.close()
        return
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    tunnel(client, server)


def read_address(client, kind):
    if kind == 3:
        return read_exactly(client, read_exactly(client, 1)[0]).decode()
    return str(ipaddress.ip_address(read_exactly(client, 4 if kind == 1 else 16)))


def serve_socks(client, _):
    version, count = read_exactly(client, 2)
    methods = read_exactly(client, count)
    if version != 5 or 0 not in methods:
        client.sendall(b"\x05\xff")
        client.close()
        return
    client.sendall(b"\x05\x00")
    _, command, _, kind = read_exactly(client, 4)
    host = read_address(client, kind)
    port = struct.unpack("!H", read_exactly(client, 2))[0]
    tell("socks", kind, host, port)
    reply = 0
    try:
        server = socket.create_connection((resolve(host), port), 10)
    except OSError:
        reply = 5
    client.sendall(bytes([5, reply if command == 1 else 7, 0, 1, 0, 0, 0, 0, 0, 0]))
    if reply:
        client.close()
    else:
        tunnel(client, server)


def guarded(handler, client, say):
    try:
        handler(client, say)
    except (EOFError, OSError, ValueError):
        client.close()


def accept(listener, handler, say):
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=guarded, args=(handler, client, say), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--say", default="")
    say = parser.parse_args().say.encode().decode("unicode_escape").encode("latin-1")
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(2)]
    tell(*(sock.getsockname()[1] for sock in listeners))
    for sock, handler in zip(listeners, (serve_connect, serve_socks)):
        threading.Thread(target=accept, args=(sock, handler, say), daemon=True).start()
    sys.stdin.read()  # ends with whoever started it


if __name__ == "__main__":
    main()
