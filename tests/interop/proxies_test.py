# SPDX-License-Identifier: MIT
"""`weft get` through other people's proxies: tinyproxy by CONNECT, microsocks by SOCKS 5."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import weftlib  # noqa: E402
from cases import GetCase  # noqa: E402

TINYPROXY, MICROSOCKS = shutil.which("tinyproxy"), shutil.which("microsocks")
if not TINYPROXY and not MICROSOCKS:
    weftlib.skip_all("neither tinyproxy nor microsocks on this machine")


class Exchanges:
    """What each of them must carry; the class says how it is started."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.place = pathlib.Path(folder.name)
        cls.certificates = weftlib.Certificates(cls.place)
        for _ in range(5):  # somebody else may take the port first
            cls.port, = peers.free_ports(1)
            process = subprocess.Popen(cls.command(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if weftlib.wait_until(lambda: peers.answers(cls.port) or process.poll() is not None,
                                  "a proxy that listens") and process.poll() is None:
                break
        else:
            raise AssertionError(f"{cls.command()} does not start")
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)

    def proxy(self):
        return f"{self.way}://127.0.0.1:{self.port}"

    def test_requests_share_a_tunnel(self):
        for words, arguments, scheme in weftlib.variants():
            own = ["--cert", self.certificates.cert, "--key", self.certificates.key]
            own = own if scheme == "https" else []
            trust = ["--cacert", self.certificates.ca] if scheme == "https" else []
            with self.subTest(**words), weftlib.serve(*arguments, *own,
                                                      listen=[f"{scheme}://127.0.0.1:0"]) as server:
                figures = self.report(*arguments, *trust, "--proxy", self.proxy(), "--count", "20",
                                      "--parallel", "4", f"{scheme}://localhost:{server.port}/hello")
                self.assertEqual(figures["ok"], 20)
                self.assertEqual(weftlib.status(server)["counters"]["conns_accepted"], 2)

    def test_what_is_not_there_is_told(self):
        port, = peers.free_ports(1)
        for loop in weftlib.LOOPS:
            done = self.get("--event", loop, "--proxy", self.proxy(), f"http://127.0.0.1:{port}/",
                            code=1)
            self.assertIn(f"proxy {self.proxy()}: answered {self.nobody}", done.stderr)


@unittest.skipUnless(TINYPROXY, "no tinyproxy on this machine")
class Tinyproxy(Exchanges, GetCase):
    way, nobody = "http", "500"

    @classmethod
    def command(cls):
        config = cls.place / "tinyproxy.conf"
        config.write_text(f"Port {cls.port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n"
                          f"LogFile \"{cls.place}/tinyproxy.log\"\nAllow 127.0.0.1\n")
        return [TINYPROXY, "-d", "-c", str(config)]


@unittest.skipUnless(MICROSOCKS, "no microsocks on this machine")
class Microsocks(Exchanges, GetCase):
    way, nobody = "socks5", "5, connection refused"

    @classmethod
    def command(cls):
        return [MICROSOCKS, "-i", "127.0.0.1", "-p", str(cls.port)]


if __name__ == "__main__":
    weftlib.main()
