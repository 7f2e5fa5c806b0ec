# SPDX-License-Identifier: MIT
"""scripts/check-rules finds what it is there to find: in a tree made for it, one fault at a time."""
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

SPDX = "/* SPDX-License-Identifier: MIT */\n"
CLEAN = {
    "include/weft/base.h": SPDX + "#ifndef WEFT_BASE_H\n#define WEFT_BASE_H\n\n#include <stddef.h>\n\n#endif\n",
    "include/weft/plugin/role.h": SPDX + '#include "weft/base.h"\n',
    "core/base/list.h": SPDX + '#ifndef LIST_H\n#define LIST_H\n\n#include "weft/base.h"\n\n#endif\n',
    "core/system/platform.h": SPDX + "#ifdef WEFT_BUILD_SHARED\n#define SHARED 1\n#endif\n",
    "core/net/name.c": SPDX + '#include <ares.h>\n#include <poll.h>\n\n#include "core/base/list.h"\n'
                              '#include "weft/plugin/role.h"\n',
    "plugins/event-one/one.c": SPDX + '#include "weft/plugin/role.h"\n',
    "plugins/tls-gnutls/two.c": SPDX + "#include <gnutls/gnutls.h>\n",
    "roles/http/shared.h": SPDX + '#include "weft/base.h"\n',
    "roles/one/own.h": SPDX,
    "roles/one/one.c": SPDX + '#include "own.h"\n#include "roles/http/shared.h"\n',
    "roles/two/two.h": SPDX,
    "tools/tool.c": SPDX + "#include <jansson.h>\n\n#include \"weft/base.h\"\n",
    "minimal-examples/one/main.c": SPDX + "#include <weft/base.h>\n",
    "bench/one.c": SPDX + "#include <curl/curl.h>\n",
    "tests/unit/one_test.c": SPDX + '#include <cmocka.h>\n\n#include "core/base/list.h"\n',
    "CMakeLists.txt": "# SPDX-License-Identifier: MIT\n",
    "README.md": "# Weft\n",
}


class Rules(unittest.TestCase):
    def setUp(self):
        if not shutil.which("clang-format"):
            self.skipTest("clang-format is not installed")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(weftlib.SOURCE / ".clang-format", self.root)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def check(self):
        done = weftlib.run(weftlib.SOURCE / "scripts" / "check-rules", self.root)
        *lines, last = done.stdout.splitlines()
        self.assertRegex(last, rf"^\d+ files, {len(lines)} findings$", done.stderr)
        self.assertEqual(done.returncode, 1 if lines else 0)
        return lines

    def assert_finds(self, place, word):
        """Exactly one finding, at this FILE:LINE."""
        lines = self.check()
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(place + ": "), lines)
        self.assertIn(word, lines[0])

    def assert_bad_include(self, name, include):
        lines = len(CLEAN.get(name, SPDX).splitlines())
        self.write(name, CLEAN.get(name, SPDX) + f"\n#include {include}\n")
        self.assert_finds(f"{name}:{lines + 2}", include.strip('<">'))
        self.write(name, CLEAN.get(name, SPDX))

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(self.check(), [])

    def test_an_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as nothing:
            done = weftlib.run(weftlib.SOURCE / "scripts" / "check-rules", nothing)
            self.assertEqual(done.returncode, 1)

    def test_folders_include_what_is_beneath_them(self):
        for name, include in (
                ("include/weft/base.h", '"weft/plugin/role.h"'),
                ("include/weft/plugin/role.h", '"core/base/list.h"'),
                ("core/base/list.h", '"roles/http/shared.h"'),
                ("core/base/list.h", '"tools/tool.c"'),
                ("plugins/event-one/one.c", '"core/base/list.h"'),
                ("plugins/event-one/one.c", '"roles/http/shared.h"'),
                ("plugins/event-one/one.c", '"plugins/tls-gnutls/two.c"'),
                ("roles/one/one.c", '"roles/two/two.h"'),
                ("roles/one/one.c", '"../two/two.h"'),
                ("roles/one/one.c", '"core/base/list.h"'),
                ("roles/http/shared.h", '"roles/two/two.h"'),
                ("tools/tool.c", '"weft/plugin/role.h"'),
                ("tools/tool.c", '"core/base/list.h"'),
                ("minimal-examples/one/main.c", "<weft/plugin/role.h>"),
                ("bench/one.c", '"core/base/list.h"')):
            with self.subTest(f"{name}: {include}"):
                found = self.root / name
                text = found.read_text()
                found.write_text(f"{text}\n#include {include}\n")
                lines = [line for line in self.check() if "clang-format" not in line]
                self.assertEqual(len(lines), 1, lines)
                self.assertRegex(lines[0], rf"^{name}:\d+: includes ")
                found.write_text(text)

    def test_a_librarys_header_stays_in_its_place(self):
        self.assert_bad_include("core/system/platform.h", "<gnutls/gnutls.h>")
        self.assert_bad_include("roles/one/own.h", "<mbedtls/ssl.h>")
        self.assert_bad_include("minimal-examples/one/extra.c", "<event2/event.h>")
        self.assert_bad_include("plugins/event-one/extra.c", "<curl/curl.h>")
        self.assert_bad_include("tools/extra.c", '"nowhere.h"')

    def test_conditional_code_stands_in_the_platform_file(self):
        for word in ("#if WEFT_X", "#ifdef WEFT_X", "#ifndef WEFT_X"):
            self.write("core/base/extra.c", SPDX + f"int a;\n{word}\n#endif\n")
            self.assert_finds("core/base/extra.c:3", "conditional code")
        self.write("roles/one/extra.c", SPDX + "#ifdef WEFT_X\n#endif\n")
        (self.root / "core/base/extra.c").unlink()
        self.assertEqual(self.check(), [])

    def test_the_core_names_no_backend_and_no_role(self):
        for code, word in (('const char *a = "gnutls";', '"gnutls"'),
                           ('const char *a = "built with OpenSSL 3";', "OpenSSL"),
                           ("int use_mbedtls;", "use_mbedtls"),
                           ("int weft_event_libevent_ops;", "weft_event_libevent_ops"),
                           ("int weft_plugin_role_h1;", "weft_plugin_role_h1"),
                           ("int weft_role_raw;", "weft_role_raw"),
                           ("int WEFT_HAVE_EVENT_POLL;", "WEFT_HAVE_EVENT_POLL"),
                           ('const char *a = "poll";', '"poll"'),
                           ('const char *a = "h2";', '"h2"'),
                           ('const char *a = "http/1.1";', '"http/1.1"')):
            for name in ("core/base/extra.c", "include/weft/extra.h"):
                with self.subTest(f"{name}: {code}"):
                    self.write(name, SPDX + "\n" + code + "\n")
                    self.assert_finds(f"{name}:3", word)
                    (self.root / name).unlink()

    def test_words_that_only_look_like_names_pass(self):
        self.write("core/base/extra.c", SPDX + """\
/* gnutls, "h1" and raw bytes in a comment */
// libevent
const char *text = "poll failed: raw input";
const char *kind = "tls";
int raw_len, poll_once, redraws;
int weft_http_open(void);
""")
        self.assertEqual(self.check(), [])

    def test_long_files_and_functions_are_found(self):
        self.write("core/base/extra.c", SPDX + "\n" * 800)
        self.assertIn("core/base/extra.c:801: 801 lines, at most 800",
                      [line for line in self.check() if "clang-format" not in line])
        self.write("core/base/extra.c", SPDX + "static int short_one(void)\n{\n\treturn '}';\n}\n\n"
                   + "int long_one(const char *s)\n{\n" + "\tshort_one();\n" * 98 + '\treturn s == "{";\n}\n')
        self.assert_finds("core/base/extra.c:7", "long_one: 102 lines")
        self.write("core/base/extra.c", SPDX + "int long_one(void)\n{\n" + "\tother();\n" * 97 + "}\n")
        self.assertEqual(self.check(), [])

    def test_spdx_lines_are_asked_of_code(self):
        self.write("roles/one/own.h", "int a;\n")
        self.assert_finds("roles/one/own.h:1", "SPDX")
        self.write("roles/one/own.h", SPDX)
        self.write("scripts/go", "#!/bin/sh\ntrue\n")
        self.assert_finds("scripts/go:1", "SPDX")
        (self.root / "scripts/go").unlink()
        self.write("tests/e2e/one_test.py", "print()\n")
        self.assert_finds("tests/e2e/one_test.py:1", "SPDX")

    def test_format_and_white_space_are_checked(self):
        self.write("roles/one/own.h", SPDX + "int  a;\n")
        self.assert_finds("roles/one/own.h:2", "clang-format")
        self.write("roles/one/own.h", SPDX)
        self.write("README.md", "# Weft\n\nspace \n")
        self.assert_finds("README.md:3", "white space")
        self.write("README.md", "# Weft")
        self.assert_finds("README.md:1", "newline")


if __name__ == "__main__":
    weftlib.main()
