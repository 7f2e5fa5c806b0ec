# SPDX-License-Identifier: MIT
"""`weft serve --root`: files, directories, and what stays outside."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from cases import ServeCase, variants  # noqa: E402


class Files(ServeCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        (self.root / "docs").mkdir(parents=True)
        (self.root / "bare").mkdir()
        for name, content in {
                "page.html": "<p>page</p>", "style.css": "p {}", "data.json": "{}", "empty": "",
                "docs/index.html": "<p>docs</p>", "two words.txt": "spaced", "100%.txt": "all",
                ".secret": "s", "docs/.hidden": "h", "hello": "a file of a route's name",
                "grüße.txt": "umlauts"}.items():
            (self.root / name).write_text(content)
        (self.folder / "outside.txt").write_text("outside")
        (self.root / "leaves").symlink_to("../outside.txt")
        (self.root / "away").symlink_to(self.folder)
        (self.root / "stays").symlink_to("page.html")
        os.mkfifo(self.root / "pipe")
        self.big = os.urandom(2000000)
        (self.root / "big.bin").write_bytes(self.big)

    def serve(self, *arguments, **options):
        return super().serve("--root", self.root, *arguments, **options)

    def answers(self, sock, expected):
        for target, code in expected.items():
            self.assertEqual(self.ask(sock, target=target)[0], code, target)

    def test_files_have_type_and_length(self):
        for loop in weftlib.LOOPS:
            with self.serve("--event", loop) as server:
                sock = self.connect(server)
                for target, kind, content in (
                        ("/page.html", "text/html; charset=utf-8", "<p>page</p>"),
                        ("/style.css?v=1", "text/css; charset=utf-8", "p {}"),
                        ("/data.json", "application/json", "{}"),
                        ("/empty", "application/octet-stream", ""),
                        ("/two%20words.txt", "text/plain; charset=utf-8", "spaced"),
                        ("/100%25.txt", "text/plain; charset=utf-8", "all"),
                        ("/gr%C3%BC%c3%9fe.txt", "text/plain; charset=utf-8", "umlauts"),
                        ("/%70age.html", "text/html; charset=utf-8", "<p>page</p>"),
                        ("/stays", "application/octet-stream", "<p>page</p>")):
                    code, fields, body = self.ask(sock, target=target)
                    self.assertEqual(
                        (code, fields["content-type"], fields["content-length"], body.decode()),
                        (200, kind, str(len(content)), content), target)
                    code, fields, body = self.ask(sock, "HEAD", target)
                    self.assertEqual((code, fields["content-length"], body),
                                     (200, str(len(content)), b""))

    def test_big_files_come_whole(self):
        for words, arguments, listen in variants():
            with self.subTest(**words), self.serve(*arguments, listen=listen) as server:
                sock = self.connect(server)
                for _ in range(2):
                    self.assertTrue(self.ask(sock, target="/big.bin")[2] == self.big)

    def test_directories(self):
        with self.serve() as server:
            sock = self.connect(server)
            self.assertEqual(self.ask(sock, target="/docs/")[2], b"<p>docs</p>")
            for target, location in (("/docs", "/docs/"), ("/docs?x=1", "/docs/?x=1")):
                code, fields, body = self.ask(sock, target=target)
                self.assertEqual((code, fields["location"], body), (301, location, b""))
            self.answers(sock, {"/bare/": 404, "/": 404, "/page.html/": 404})

    def test_built_in_routes_win(self):
        with self.serve() as server:
            self.assertEqual(self.ask(self.connect(server))[2], b"Hello, World\n")

    def test_what_is_not_there(self):
        with self.serve() as server:
            sock = self.connect(server)
            self.answers(sock, {"/none": 404, "/docs/none": 404, "/none/none": 404,
                                "/hello/x": 404, "/" + "x" * 3000: 404})
            self.assertRegex(self.ask(sock, target="/none")[2].decode(), "404 Not Found")

    def test_nothing_outside_and_nothing_hidden(self):
        with self.serve() as server:
            sock = self.connect(server)
            for target in ("/leaves", "/away/", "/away/outside.txt", "/.secret", "/docs/.hidden",
                           "/../outside.txt", "/docs/../../outside.txt", "/%2e%2e/outside.txt",
                           "/.%2e/outside.txt", "/..%2foutside.txt", "/docs/..%2f..%2foutside.txt",
                           "/%2esecret", "/./page.html", "//etc/passwd", "/docs//index.html",
                           f"//{self.folder}/outside.txt", "/page.html%00.txt", "/%zz", "/%2",
                           "/docs%5c..%5c..%5coutside.txt", "/pipe"):
                code, _, body = self.ask(sock, target=target)
                self.assertIn(code, (403, 404), target)
                self.assertNotRegex(body, b"outside|root:", target)
            self.answers(sock, {"/leaves": 403, "/away/outside.txt": 403, "/pipe": 403})

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_file_that_may_not_be_read(self):
        (self.root / "page.html").chmod(0)
        with self.serve() as server:
            self.answers(self.connect(server), {"/page.html": 403})

    def test_other_methods(self):
        with self.serve() as server:
            sock = self.connect(server)
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                code, fields, _ = self.ask(sock, method, "/page.html", "Content-Length: 0\r\n")
                self.assertEqual((code, fields["allow"]), (405, "GET, HEAD"), method)

    def test_without_a_root_there_are_no_files(self):
        with super().serve(cwd=self.root) as server:
            self.answers(self.connect(server), {"/": 404, "/page.html": 404, "/hello": 200})


if __name__ == "__main__":
    weftlib.main()
