# SPDX-License-Identifier: MIT
"""Chromium as a client of `weft serve`: a page whose style, script, images and fetches all arrive."""
import os
import shutil
import struct
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from clients import ClientCase, everywhere  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
if not CHROMIUM:
    weftlib.skip_all("no chromium on this machine")

IMAGES = 50
PAGE = """<!doctype html><html><head><title>weft</title><link rel="stylesheet" href="style.css">
</head><body><p id="styled">text</p><div id="images"></div><p id="result">nothing yet</p>
<script src="script.js"></script></body></html>
"""
STYLE = "#styled { width: 123px; }\n"
# window's load event waits for all of it: --dump-dom prints what is there then
SCRIPT = """const images = document.getElementById('images');
for (let i = 0; i < %d; i++) {
	const image = new Image();
	image.src = `image${i}.png`;
	images.append(image);
}
function ask(method, path, body) { // synchronous: load waits for it
	const request = new XMLHttpRequest();
	request.open(method, path, false);
	request.send(body);
	return `${request.status} ${request.responseText.trim().length}`;
}
addEventListener('load', () => {
	const width = getComputedStyle(document.getElementById('styled')).width;
	const loaded = [...document.images].filter((i) => i.naturalWidth === 2).length;
	document.getElementById('result').textContent = [`style ${width}`, `images ${loaded}`,
		`hello ${ask('GET', '/hello')}`, `echo ${ask('POST', '/echo', 'x'.repeat(300000))}`,
		`bytes ${ask('GET', '/bytes/200000')}`, `none ${ask('GET', '/none.txt').split(' ')[0]}`].join(', ');
});
""" % IMAGES
RESULT = (f"style 123px, images {IMAGES}, hello 200 12, echo 200 300000, bytes 200 200000, "
          "none 404")


def image():
    """A PNG of 2 by 2 points."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))
    rows = (b"\0" + b"\xff\0\0" * 2) * 2
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Page(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, text in (("index.html", PAGE), ("style.css", STYLE), ("script.js", SCRIPT)):
            (cls.root / name).write_text(text)
        for i in range(IMAGES):
            (cls.root / f"image{i}.png").write_bytes(image())

    @everywhere
    def test_a_page_with_all_that_it_needs(self, server):
        # a profile of its own each time, so that nothing comes from a cache
        profile = self.folder / f"profile{server.port}"
        done = self.run_client(
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-extensions", "--disable-background-networking",
            "--ignore-certificate-errors", "--no-proxy-server", f"--user-data-dir={profile}",
            "--dump-dom", f"{server.url}/", timeout=2 * weftlib.SECONDS)
        self.assertIn(RESULT, done.stdout)
        counters = weftlib.status(server)["counters"]
        # page, style, script, images and four questions, at least; over HTTP/2 all on one connection, else on
        # no more than the browser's six at once (and some that it only tries, or asks for the icon with)
        asked = 3 + IMAGES + 4
        self.assertGreaterEqual(counters["streams_incoming"], asked + 1)
        self.assertLess(counters["conns_accepted"], counters["streams_incoming"])
        if server.url.startswith("https") and "h2" in weftlib.ROLES:
            self.assertGreaterEqual(counters["streams_per_conn_max"], asked)


if __name__ == "__main__":
    weftlib.main()
