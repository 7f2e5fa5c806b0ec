# SPDX-License-Identifier: MIT
"""The test's own proxy (proxy.py) as a program that runs while it is needed."""
import pathlib
import queue
import subprocess
import sys
import threading

import weftlib


class Proxy:
    """with Proxy() as proxy: proxy.url("http"), proxy.url("socks5"), proxy.tunnels(2)"""

    def __init__(self, *arguments):
        script = pathlib.Path(__file__).with_name("proxy.py")
        self.process = subprocess.Popen([sys.executable, str(script), *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ports = dict(zip(("http", "socks5"), self._line().split()))

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def _line(self):
        return self._lines.get(timeout=weftlib.SECONDS)

    def url(self, way):
        return f"{way}://127.0.0.1:{self.ports[way]}"

    def tunnels(self, count):
        """What was asked for, that many times and no more."""
        lines = [self._line() for _ in range(count)]
        while not self._lines.empty():
            lines.append(self._lines.get())
        return lines

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        self.process.wait(weftlib.SECONDS)
        self._reader.join()
        self.process.stdout.close()
