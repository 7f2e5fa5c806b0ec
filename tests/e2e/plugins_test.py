# SPDX-License-Identifier: MIT
"""`weft plugins`, and where modules are looked for: just where it is told, static and shared."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

MODULES = weftlib.BUILD / "tests" / "modules"
SHOUT = MODULES / "role-shout.so"
ROLES = {"h1", "raw"}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def plugins(self, *arguments, code=0, **options):
        """The array of `weft plugins --json`, and what it complained about."""
        done = weftlib.weft("plugins", "--json", *arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout), done.stderr

    def names(self, plugins, kind):
        return {p["name"] for p in plugins if p["kind"] == kind}


class Listing(Case):
    def test_all_of_the_build_are_listed(self):
        plugins, complaints = self.plugins()
        self.assertEqual(complaints, "")
        self.assertEqual(self.names(plugins, "event"), set(weftlib.LOOPS))
        self.assertEqual(self.names(plugins, "tls"), set(weftlib.BACKENDS))
        self.assertLessEqual(ROLES, self.names(plugins, "role"))
        for plugin in plugins:
            self.assertEqual(set(plugin), {"kind", "name", "version", "abi", "caps", "file"})
            self.assertTrue(plugin["version"])
            self.assertIsInstance(plugin["abi"], int)

    def test_files_are_named_where_there_are_any(self):
        for plugin in self.plugins()[0]:
            if weftlib.SHARED:
                name = f"{plugin['kind']}-{plugin['name']}.so"
                beside = pathlib.Path(weftlib.BIN).resolve().parents[1] / "lib" / "weft" / name
                self.assertEqual(pathlib.Path(plugin["file"]), beside)
            else:
                self.assertIsNone(plugin["file"])

    def test_the_table_says_the_same(self):
        done = weftlib.weft("plugins")
        self.assertEqual(done.returncode, 0, done.stderr)
        title, *lines = done.stdout.splitlines()
        self.assertEqual(title.split(), ["kind", "name", "version", "abi", "caps", "file"])
        self.assertEqual([tuple(line.split()[:2]) for line in lines],
                         [(p["kind"], p["name"]) for p in self.plugins()[0]])

    def test_tls_backends_say_what_they_can(self):
        caps = {p["name"]: p["caps"] for p in self.plugins()[0] if p["kind"] == "tls"}
        for backend in weftlib.BACKENDS:
            self.assertIn("tls1.2", caps[backend])
            self.assertIn("alpn", caps[backend])

    def test_wrong_options_are_refused(self):
        for arguments in (["--nonsense"], ["--plugin"], ["operand"], ["--plugin-dir", "modules"]):
            done = weftlib.weft("plugins", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stdout, "")
            self.assertTrue(done.stderr, arguments)


class File(Case):
    def test_a_good_module_is_loaded(self):
        plugins, complaints = self.plugins("--plugin", SHOUT)
        self.assertEqual(complaints, "")
        self.assertIn({"kind": "role", "name": "shout", "version": "7.1", "abi": plugins[0]["abi"],
                       "caps": ["server"], "file": str(SHOUT)}, plugins)

    def test_each_bad_module_is_refused_with_its_reason(self):
        reasons = {
            "no-entry.so": "weft_plugin_entry",
            "other-magic.so": "magic 0x7f454c46, expected 0x57656674",
            "other-abi.so": "made for plugin ABI ",
            "other-size.so": "bytes, expected ",
            "other-kind.so": "kind 9",
            "bad-name.so": '"Dummy/1"',
            "no-version.so": "no version",
            "no-table.so": "no ops table",
            "short-ops.so": "ops table has ",
            "null-op.so": "NULL for input",
            "half-client.so": "NULL for open",
            "role-misnamed.so": 'expected role plugin "misnamed"',
            "tls-dummy.so": 'expected tls plugin "dummy"',
            "needs-library.so": "libweft_absent.so",
            "needs-symbol.so": "weft_of_tomorrow",
            "not-there.so": "No such file",
        }
        built = {f.name for f in MODULES.glob("*.so")} - {SHOUT.name, "duplicate.so"}
        self.assertEqual(built, set(reasons) - {"not-there.so"})
        expected = self.plugins()[0]
        for name, reason in reasons.items():
            with self.subTest(name):
                plugins, complaints = self.plugins("--plugin", MODULES / name, code=1)
                self.assertEqual(len(complaints.splitlines()), 1, complaints)
                self.assertIn(name, complaints)
                self.assertIn(reason, complaints)
                self.assertEqual(plugins, expected)

    @unittest.skipIf(weftlib.SHARED, "nothing is linked in, in a shared build")
    def test_a_duplicate_of_a_linked_in_one_is_refused(self):
        complaints = self.plugins("--plugin", MODULES / "duplicate.so", code=1)[1]
        self.assertRegex(complaints, r'role plugin "raw" \(version 7\.0\) is registered already, '
                                     r'version \S+ from a linked-in plugin')

    def test_what_is_no_module_is_refused(self):
        text = self.folder / "role-text.so"
        text.write_text("text")
        for path, reason in ((text, "no ELF file"), (self.folder, "a directory"),
                             (SHOUT.name, "absolute path")):
            complaints = self.plugins("--plugin", path, code=1)[1]
            self.assertIn(reason, complaints)

    def test_good_ones_are_loaded_beside_bad_ones(self):
        plugins, complaints = self.plugins("--plugin", MODULES / "other-abi.so", "--plugin", SHOUT,
                                           code=1)
        self.assertIn("shout", self.names(plugins, "role"))
        self.assertEqual(len(complaints.splitlines()), 1, complaints)


class Directory(Case):
    def test_a_broken_file_is_reported_and_passed_over(self):
        shutil.copy(SHOUT, self.folder)
        shutil.copy(MODULES / "other-abi.so", self.folder / "event-old.so")
        (self.folder / "tls-text.so").write_text("text")
        (self.folder / "README").write_text("no module")
        plugins, complaints = self.plugins("--plugin-dir", self.folder)
        files = {p["file"] for p in plugins} - {None}
        self.assertEqual(files, {str(self.folder / SHOUT.name)})
        self.assertEqual(len(complaints.splitlines()), 2, complaints)
        self.assertIn("event-old.so", complaints)
        self.assertIn("tls-text.so", complaints)

    def test_a_broken_file_does_not_keep_a_server_from_starting(self):
        modules = self.folder
        if weftlib.SHARED:
            modules = self.folder / "weft"
            shutil.copytree(pathlib.Path(self.plugins()[0][0]["file"]).parent, modules)
        (modules / "role-broken.so").write_text("text")
        with weftlib.serve("--plugin-dir", modules, "--tls", "none") as server:
            done = weftlib.weft("get", f"{server.url}/hello")
            self.assertEqual(done.stdout, "Hello, World\n", done.stderr)

    def test_a_directory_that_is_not_there_is_no_error(self):
        plugins, complaints = self.plugins("--plugin-dir", self.folder / "nowhere")
        self.assertEqual(complaints, "")
        self.assertEqual({p["file"] for p in plugins} - {None}, set())

    def test_a_name_that_is_not_there_is_refused_with_those_that_are(self):
        for option, known in (("--event", weftlib.LOOPS), ("--tls", weftlib.BACKENDS)):
            done = weftlib.weft("get", option, "nonsense", "http://127.0.0.1:1/")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn('"nonsense"; there are:', done.stderr)
            for name in known:
                self.assertIn(f" {name}", done.stderr)


class Elsewhere(Case):
    """Modules lie about where other programs would look; none of them is taken."""

    def bait(self, folder):
        (folder / "weft").mkdir()
        for place in (folder, folder / "weft"):
            for name in ("event-bait.so", "tls-bait.so", "role-bait.so"):
                (place / name).write_text("text: reading it would be an error")
            shutil.copy(SHOUT, place)

    def check(self, **options):
        self.bait(self.folder)
        plugins, complaints = self.plugins(**options)
        self.assertEqual(complaints, "")
        self.assertEqual(plugins, self.plugins()[0])
        for option in ("--event", "--tls"):
            done = weftlib.weft("get", option, "bait", "http://127.0.0.1:1/", **options)
            self.assertEqual(done.returncode, 2)
            self.assertIn('plugin "bait"; there are:', done.stderr)

    def test_the_current_directory_is_not_searched(self):
        self.check(cwd=self.folder)

    def test_the_environments_library_path_is_not_searched(self):
        path = f"{self.folder}:{self.folder / 'weft'}"
        self.check(env=os.environ | {"LD_LIBRARY_PATH": path, "PATH": path})

    def test_no_binary_looks_into_the_current_directory_for_its_libraries(self):
        files = [weftlib.BIN]
        files += [p["file"] for p in self.plugins()[0] if p["file"]]
        for file in files:
            done = weftlib.run("readelf", "-d", file)
            self.assertEqual(done.returncode, 0, done.stderr)
            for line in done.stdout.splitlines():
                if "(RUNPATH)" not in line and "(RPATH)" not in line:
                    continue
                path = line[line.index("[") + 1:line.rindex("]")]
                for entry in path.split(":"):
                    # an empty entry means the current directory
                    self.assertTrue(entry.startswith(("/", "$ORIGIN")), f"{file}: [{path}]")


if __name__ == "__main__":
    weftlib.main()
