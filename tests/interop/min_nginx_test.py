# SPDX-License-Identifier: MIT
"""The smallest client: the preset min, installed, with minimal-examples/policy-static and a compiled policy, against nginx."""
import json
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import weftlib  # noqa: E402

if not peers.Nginx.program:
    weftlib.skip_all("no nginx on this machine")
if "mbedtls" not in weftlib.BACKENDS:
    weftlib.skip_all("a build without tls-mbedtls: its library may not be there")
if weftlib.SHARED or weftlib.SANITIZED:
    weftlib.skip_all("the preset is built by the test, and the same from each build")

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
find_package(Weft REQUIRED)
foreach(name IN ITEMS good stranger listens)
	add_executable(${name} ${name}/main.c)
	target_link_libraries(${name} PRIVATE Weft::weft)
endforeach()
target_sources(good PRIVATE good/policy.c)
target_sources(stranger PRIVATE stranger/policy.c)
"""
LISTENS = """
#include <stdio.h>
#include "weft/weft.h"
static enum weft_status never(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	return WEFT_OK;
}
int main(void)
{
	static const struct weft_route routes[] = { { .on_request = never }, { .on_request = NULL } };
	const struct weft_vhost_options o = { .name = "here", .listen = "http://127.0.0.1:0", .routes = routes };
	const struct weft_request r = { .url = "http://127.0.0.1:1/", .stream.proxy = "http://127.0.0.1:2" };
	static const struct weft_stream_ops ops = { .on_close = NULL };
	struct weft_context *ctx;
	struct weft_vhost *vhost;
	struct weft_stream *stream;
	struct weft_error err;
	if (weft_context_create(NULL, &ctx, &err))
		return 1;
	if (weft_vhost_create(ctx, &o, &vhost, &err) == WEFT_ERR_UNSUPPORTED)
		puts(err.text);
	if (weft_http_open(ctx, &r, &ops, NULL, &stream, &err) == WEFT_ERR_UNSUPPORTED)
		puts(err.text);
	weft_context_destroy(ctx, 0, NULL, NULL);
	return 0;
}
"""


def done(*command):
    """Runs a step that must succeed; what it said."""
    result = weftlib.run(*command, timeout=600)
    if result.returncode:
        raise AssertionError(f"{command}: {result.stdout}{result.stderr}")
    return result.stdout


class MinTest(unittest.TestCase):
    """Two owners, two CAs, and a client that knows one of them."""

    @classmethod
    def setUpClass(cls):
        cls.folder = weftlib.class_folder(cls)
        own, other = cls.certificates("own"), cls.certificates("other")
        cls.server = cls.start("own", own)
        cls.stranger = cls.start("other", other)
        cls.write_client("good", own, cls.server.tls)
        cls.write_client("stranger", own, cls.stranger.tls)
        (cls.folder / "listens").mkdir()
        (cls.folder / "listens" / "main.c").write_text(LISTENS)
        (cls.folder / "CMakeLists.txt").write_text(PROJECT)
        prefix, build = cls.folder / "prefix", cls.folder / "build"
        done("cmake", "-S", weftlib.SOURCE, "--preset", "min", "-B", cls.folder / "weft")
        done("cmake", "--build", cls.folder / "weft")
        done("cmake", "--install", cls.folder / "weft", "--prefix", prefix)
        done("cmake", "-S", cls.folder, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
             "-DCMAKE_BUILD_TYPE=MinSizeRel", "-DCMAKE_EXE_LINKER_FLAGS=-Wl,--gc-sections")
        done("cmake", "--build", build)
        cls.build = build

    @classmethod
    def certificates(cls, name):
        here = cls.folder / f"certificates-{name}"
        here.mkdir()
        here.chmod(0o755)
        return weftlib.Certificates(here)

    @classmethod
    def start(cls, name, files):
        root, here = cls.folder / f"root-{name}", cls.folder / f"server-{name}"
        root.mkdir()
        here.mkdir()
        here.chmod(0o777)
        (root / "hello").write_text("a small hello\n")
        server = peers.Nginx(here, files=files, root=root)
        cls.addClassCleanup(server.stop)
        return server

    @classmethod
    def write_client(cls, name, files, port):
        """The example with its own policy, but for the port and the CA."""
        example = weftlib.SOURCE / "minimal-examples" / "policy-static"
        here = cls.folder / name
        here.mkdir()
        shutil.copy(example / "main.c", here)
        policy = json.loads((example / "policy.json").read_text())
        del policy["$schema"]
        policy["certs"]["vendor_ca"] = {"pem_file": str(files.ca)}
        policy["streams"]["hello"]["port"] = port
        (here / "policy.json").write_text(json.dumps(policy))
        done(weftlib.BIN, "policy", "compile", here / "policy.json", "-o", here / "policy.c")

    def test_it_reaches_its_own_server(self):
        mark = self.server.mark()
        result = weftlib.run(self.build / "good", "localhost")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(result.stdout.splitlines()), sorted([
            "before: 0 vhosts with parsed certificates", "a small hello",
            "14 bytes, which the policy calls ok", "after: 1 vhosts with parsed certificates"]))
        request = self.server.requests(mark, 1)[0]
        self.assertEqual((request["path"], request["status"], request["version"]), ("/hello", "200", "TLSv1.2"))

    def test_and_no_other(self):
        mark = self.stranger.mark()
        result = weftlib.run(self.build / "stranger", "localhost")
        self.assertEqual(result.returncode, 1)
        self.assertIn("certificate issuer is unknown", result.stderr)
        self.assertNotIn("hello", result.stdout)
        self.assertEqual(self.stranger.mark(), mark)

    def test_what_it_was_built_without_is_said(self):
        result = weftlib.run(self.build / "listens")
        self.assertEqual(result.returncode, 0)
        servers, proxies = result.stdout.splitlines()
        self.assertEqual(servers, "vhost here: this build of Weft is for clients only")
        self.assertRegex(proxies, "this build of Weft knows no proxies$")

    def test_it_links_no_more_than_it_needs(self):
        found = set(re.findall(r"\(NEEDED\).*\[lib(\w+)", done("readelf", "-d", self.build / "good")))
        self.assertEqual(found, {"c", "cares", "mbedtls", "mbedx509", "mbedcrypto"})
        imports = done("nm", "-D", "--undefined-only", self.build / "good")
        self.assertNotRegex(imports, r" (dlopen|json_)")


if __name__ == "__main__":
    weftlib.main()
