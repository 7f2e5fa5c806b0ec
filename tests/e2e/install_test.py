# SPDX-License-Identifier: MIT
"""An installed Weft: what is in it, that it works from there, and that applications find and use it."""
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

BUILDING = 400  # seconds for a step of building


def cache():
    """The build's CMake variables."""
    found = {}
    for line in (weftlib.BUILD / "CMakeCache.txt").read_text().splitlines():
        if match := re.fullmatch(r"([A-Za-z_]\w*):\w+=(.*)", line):
            found[match[1]] = match[2]
    return found


CACHE = cache()
LIB = CACHE.get("CMAKE_INSTALL_LIBDIR", "lib")


def build_step(*command):
    done = weftlib.run(*command, timeout=BUILDING)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name).resolve()
        cls.prefix = cls.folder / "prefix"
        build_step("cmake", "--install", weftlib.BUILD, "--prefix", cls.prefix)

    def installed(self):
        return {str(f.relative_to(self.prefix)) for f in self.prefix.rglob("*") if not f.is_dir()}

    def shared_object(self):
        return self.prefix / LIB / "libweft.so"

    def modules(self):
        return sorted((self.prefix / LIB / "weft").glob("*.so"))

    def dynamic(self, file):
        """NEEDED, SONAME, RUNPATH of a binary."""
        done = weftlib.run("readelf", "-d", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = {}
        for tag, value in re.findall(r"\((\w+)\).*\[(.*)\]", done.stdout):
            found.setdefault(tag, []).append(value)
        return found

    def symbols(self, file, *options):
        done = weftlib.run("nm", "-D", *options, file)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()}


class Content(Case):
    def test_it_is_what_is_expected_and_nothing_else(self):
        headers = {f"include/{h.relative_to(weftlib.SOURCE / 'include')}"
                   for h in (weftlib.SOURCE / "include").rglob("*.h")}
        package = f"{LIB}/cmake/Weft/"
        build_type = CACHE["CMAKE_BUILD_TYPE"].lower()
        expected = headers | {package + f for f in (
            "WeftConfig.cmake", "WeftConfigVersion.cmake", "WeftPolicy.cmake", "WeftTargets.cmake",
            f"WeftTargets-{build_type}.cmake")} | {"bin/weft", "share/weft/policy.schema.json"}
        if weftlib.SHARED:
            version = re.search(r"VERSION (\S+)",
                                (weftlib.SOURCE / "CMakeLists.txt").read_text().split("project(")[1])[1]
            expected |= {f"{LIB}/libweft.so{end}"
                         for end in ("", f".{version.split('.')[0]}", f".{version}")}
            plugins = json.loads(weftlib.weft("plugins", "--json").stdout)
            expected |= {f"{LIB}/weft/{p['kind']}-{p['name']}.so" for p in plugins}
        else:
            expected.add(f"{LIB}/libweft.a")
            if "mbedtls" in weftlib.BACKENDS:
                expected.add(package + "FindMbedTLS.cmake")
        self.assertEqual(self.installed(), expected)

    def test_nothing_of_the_build_or_source_folder_is_written_into_it(self):
        for name in self.installed():
            if not name.endswith((".cmake", ".h")):
                continue
            text = (self.prefix / name).read_text()
            for place in (weftlib.BUILD, weftlib.SOURCE):
                self.assertNotIn(str(place.resolve()), text, name)

    def test_each_header_compiles_alone(self):
        compiler = CACHE["CMAKE_C_COMPILER"]
        include = self.prefix / "include"
        for header in sorted(include.rglob("*.h")):
            source = self.folder / "alone.c"
            source.write_text(f'#include "{header.relative_to(include)}"\nint alone;\n')
            done = weftlib.run(compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                               f"-I{include}", "-fsyntax-only", source)
            self.assertEqual(done.returncode, 0, f"{header}: {done.stderr}")


@unittest.skipUnless(weftlib.SHARED, "a static build has no libweft.so")
class Shared(Case):
    def test_the_library_has_a_soname_and_needs_no_backend(self):
        found = self.dynamic(self.shared_object())
        self.assertRegex(found["SONAME"][0], r"^libweft\.so\.\d+$")
        self.assertNotRegex(" ".join(found["NEEDED"]), "gnutls|mbed|libevent|libcrypto|libssl")
        self.assertNotIn("RUNPATH", found)

    def test_the_library_exports_nothing_but_its_own_names(self):
        exported = self.symbols(self.shared_object(), "--defined-only")
        self.assertIn("weft_context_create", exported)
        self.assertEqual({s for s in exported if not s.startswith("weft_")}, set())

    def test_all_that_public_headers_declare_is_exported(self):
        declared = set()
        for header in (self.prefix / "include").rglob("*.h"):
            for part in header.read_text().split("WEFT_API ")[1:]:
                if match := re.search(r"\b(weft_\w+)\s*[(;]", part):
                    declared.add(match[1])
        declared.discard("weft_plugin_entry")
        self.assertGreater(len(declared), 50)
        self.assertEqual(declared - self.symbols(self.shared_object(), "--defined-only"), set())

    def test_a_module_exports_its_entry_alone(self):
        self.assertTrue(self.modules())
        for module in self.modules():
            self.assertEqual(self.symbols(module, "--defined-only"), {"weft_plugin_entry"}, module)

    def test_each_module_needs_its_own_library(self):
        own = {"event-libevent": "libevent", "tls-gnutls": "libgnutls", "tls-mbedtls": "libmbedtls"}
        for module in self.modules():
            needed = " ".join(self.dynamic(module)["NEEDED"])
            self.assertIn("libweft.so", needed)
            for name, library in own.items():
                (self.assertIn if name == module.stem else self.assertNotIn)(library, needed)

    def test_modules_are_found_beside_the_library(self):
        plugins = json.loads(weftlib.run(self.prefix / "bin" / "weft", "plugins", "--json").stdout)
        self.assertEqual({pathlib.Path(p["file"]) for p in plugins}, set(self.modules()))

    def test_a_prefix_that_was_moved_finds_its_own_modules(self):
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        done = weftlib.run(moved / "bin" / "weft", "plugins", "--json")
        plugins = json.loads(done.stdout)
        self.assertEqual({pathlib.Path(p["file"]).parent for p in plugins}, {moved / LIB / "weft"})


class Use(Case):
    """The installed command, and the examples built alone against the package."""

    @classmethod
    def build_example(cls, name):
        folder = cls.folder / f"build-{name}"
        options = [f"-D{key}={CACHE[key]}" for key in (
            "CMAKE_C_COMPILER", "CMAKE_C_FLAGS", "CMAKE_BUILD_TYPE", "CMAKE_MAKE_PROGRAM")
            if CACHE.get(key)]
        build_step("cmake", "-S", weftlib.SOURCE / "minimal-examples" / name, "-B", folder,
                   "-G", CACHE["CMAKE_GENERATOR"], f"-DCMAKE_PREFIX_PATH={cls.prefix}", *options)
        build_step("cmake", "--build", folder)
        return folder / name

    def test_the_command_serves_and_gets(self):
        weft = self.prefix / "bin" / "weft"
        for loop in weftlib.LOOPS:
            with weftlib.Program([weft, "serve", "--event", loop,
                                  "--listen", "http://127.0.0.1:0"]) as server:
                done = weftlib.run(weft, "get", "--event", loop, f"{server.url}/hello")
                self.assertEqual(done.stdout, "Hello, World\n", f"{loop}: {done.stderr}")

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_the_command_serves_and_gets_over_tls(self):
        weft = self.prefix / "bin" / "weft"
        files = weftlib.Certificates(self.folder)
        for backend in weftlib.BACKENDS:
            with weftlib.Program([weft, "serve", "--tls", backend, "--cert", files.cert,
                                  "--key", files.key, "--listen", "https://127.0.0.1:0"]) as server:
                done = weftlib.run(weft, "get", "--tls", backend, "--cacert", files.ca,
                                   f"{server.url}/hello")
                self.assertEqual(done.stdout, "Hello, World\n", f"{backend}: {done.stderr}")

    def test_http_server_builds_alone_and_serves(self):
        program = self.build_example("http-server")
        with weftlib.Program([program, "0"]) as server:
            done = weftlib.run("curl", "--silent", "--max-time", "30", f"{server.url}/hello")
            self.assertEqual(done.stdout, "Hello, World\n")

    def test_every_other_example_builds_alone(self):
        examples = {f.parent.name for f in (weftlib.SOURCE / "minimal-examples").glob("*/main.c")}
        self.assertLessEqual({"raw-echo", "http-server", "https-server", "http-client",
                              "foreign-loop", "policy-static", "policy-many-clouds"}, examples)
        for name in sorted(examples - {"http-server"}):
            with self.subTest(name):
                program = self.build_example(name)
                self.assertTrue(os.access(program, os.X_OK))

    def policy_project(self, *options):
        """An application with a policy, in folders whose names a build has to quote; its build step."""
        project = self.folder / "my policy" / "pro ject"
        if not project.exists():
            (project / "certs").mkdir(parents=True)
            shutil.copy(weftlib.SOURCE / "minimal-examples" / "policy-static" / "vendor-ca.pem", project / "certs")
            (project / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.25)\nproject(app C)\nfind_package(Weft REQUIRED)\n"
                "add_executable(app main.c)\ntarget_link_libraries(app Weft::weft)\n"
                "weft_add_policy(app device.json SYMBOL device)\nweft_add_policy(app device.json)\n")
            (project / "main.c").write_text(
                '#include <stdio.h>\n#include <weft/policy.h>\n'
                'extern const struct weft_policy device, weft_policy_device;\n'
                'int main(void)\n{\n'
                '\tprintf("%s %zu %zu\\n", device.release, device.trusts[0].ca_count,\n'
                '\t\tweft_policy_device.stream_count);\n\treturn 0;\n}\n')
        self.write_policy(project, "1.0")
        build = project.parent / f"build{len(options)}"
        build_step("cmake", "-S", project, "-B", build, "-G", CACHE["CMAKE_GENERATOR"],
                   f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_C_COMPILER={CACHE['CMAKE_C_COMPILER']}",
                   f"-DCMAKE_C_FLAGS={CACHE.get('CMAKE_C_FLAGS', '')}", *options)
        return project, build

    @staticmethod
    def write_policy(project, release):
        (project / "device.json").write_text(json.dumps({
            "schema_version": 1, "release": release, "certs": {"v": {"pem_file": "certs/vendor-ca.pem"}},
            "trust_stores": {"v": {"certs": ["v"]}},
            "streams": {"a": {"endpoint": "a.example", "trust_store": "v"}}}))

    def runs(self, build):
        build_step("cmake", "--build", build)
        return weftlib.run(build / "app").stdout

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_a_policy_is_compiled_into_an_application_and_again_when_it_changes(self):
        project, build = self.policy_project()
        self.assertEqual(self.runs(build), "1.0 1 1\n")
        made = (build / "app-device.c").stat().st_mtime_ns
        self.assertEqual(self.runs(build), "1.0 1 1\n")
        self.assertEqual((build / "app-device.c").stat().st_mtime_ns, made)
        self.write_policy(project, "1.1")
        self.assertEqual(self.runs(build), "1.1 1 1\n")
        # a file that the policy names, and the build's files do not
        files = weftlib.Certificates(self.folder)
        with open(project / "certs" / "vendor-ca.pem", "a", encoding="ascii") as bundle:
            bundle.write(files.ca.read_text())
        self.assertEqual(self.runs(build), "1.1 2 1\n")

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_a_wrong_policy_ends_the_build_with_its_place(self):
        project, build = self.policy_project()
        (project / "device.json").write_text('{ "schema_version": 1,\n "streams": { "a": { "endpont": "x" } } }')
        done = weftlib.run("cmake", "--build", build, timeout=BUILDING)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('device.json:2:22: streams.a.endpont: nobody knows this key; did you mean "endpoint"?',
                      done.stdout + done.stderr)

    @unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
    def test_weft_tool_names_the_command_that_compiles_policies(self):
        tool = self.folder / "native-weft"
        tool.write_text(f'#!/bin/sh\necho native >>"{self.folder}/used"\nexec "{self.prefix}/bin/weft" "$@"\n')
        tool.chmod(0o755)
        _, build = self.policy_project(f"-DWEFT_TOOL={tool}")
        self.assertTrue(self.runs(build).startswith("1.0 "))
        self.assertEqual((self.folder / "used").read_text(), "native\n" * 2)

    def test_cross_compiling_without_weft_tool_is_told(self):
        project = self.folder / "cross"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(cross NONE)\nset(CMAKE_CROSSCOMPILING TRUE)\n"
            f"include({self.prefix / LIB}/cmake/Weft/WeftPolicy.cmake)\n"
            "add_library(x INTERFACE)\nweft_add_policy(x p.json)\n")
        done = weftlib.run("cmake", "-S", project, "-B", project / "build", "-G", CACHE["CMAKE_GENERATOR"])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("set WEFT_TOOL to one that does", re.sub(r"\s+", " ", done.stderr))

    def test_another_minor_version_is_not_found(self):
        project = self.folder / "other-version"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(other C)\nfind_package(Weft 99.0 REQUIRED)\n")
        done = weftlib.run("cmake", "-S", project, "-B", project / "build",
                           "-G", CACHE["CMAKE_GENERATOR"], f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("requested version \"99.0\"", re.sub(r"\s+", " ", done.stderr))


if __name__ == "__main__":
    weftlib.main()
