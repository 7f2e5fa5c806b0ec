# SPDX-License-Identifier: MIT
"""What the python tests share: where the build is, programs that listen, certificates.

A test file puts this folder into sys.path, and ends with `weftlib.main()`.
"""
import base64
import functools
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import queue
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD_DIR", "build"))
BIN = os.environ.get("WEFT_BIN", str(BUILD / "bin" / "weft"))
SOURCE = pathlib.Path(os.environ.get("WEFT_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
SHARED = os.environ.get("WEFT_PLUGIN_MODE", "static") == "shared"
LOOPS = os.environ.get("WEFT_EVENT_LOOPS", "").split()
BACKENDS = os.environ.get("WEFT_TLS_BACKENDS", "").split()
ROLES = os.environ.get("WEFT_ROLES", "").split()
GZIP = os.environ.get("WEFT_GZIP", "1") == "1"
SANITIZED = os.environ.get("WEFT_SANITIZED") == "1" or "asan" in BUILD.name
SECONDS = 60  # how long anything may take; sanitizers and busy machines are slow


def main():
    """Runs the tests of the calling file; with the reason of each skip."""
    unittest.main(verbosity=2)


def skip_all(why):
    """Ends a test file that has nothing to test here."""
    print(f"skipped: {why}")
    sys.exit(77)


def class_folder(test):
    """A folder that is gone with a class of tests; other users' servers may look into it."""
    folder = tempfile.TemporaryDirectory()
    test.addClassCleanup(folder.cleanup)
    path = pathlib.Path(folder.name)
    path.chmod(0o755)
    return path


def run(*command, timeout=SECONDS, **options):
    """Runs a command to its end: .returncode, .stdout, .stderr (as text)."""
    options = {"text": True, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.PIPE} | options
    return subprocess.run([str(c) for c in command], timeout=timeout, check=False, **options)


def weft(*arguments, **options):
    """Runs the weft command."""
    return run(BIN, *arguments, **options)


def wait_until(condition, what, timeout=SECONDS):
    """Asks again and again until condition() is true; returns what it gave."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.01)
    return result


def is_refused(server):
    """Whether nobody listens there any more."""
    try:
        with socket.create_connection(("127.0.0.1", server.port), SECONDS):
            return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was taken, and the listener closed with it
        return False


def pairs():
    """Every event loop of the build with every TLS backend of it."""
    return list(itertools.product(LOOPS, BACKENDS))


def variants():
    """(words, arguments, scheme) of `weft serve` for each loop, without TLS and with each backend."""
    for loop in LOOPS:
        yield {"loop": loop, "tls": None}, ["--event", loop], "http"
        for backend in BACKENDS:
            yield ({"loop": loop, "tls": backend}, ["--event", loop, "--tls", backend], "https")


@functools.cache
def caps(kind, name):
    """What a plugin says that it can, as words."""
    plugins = json.loads(weft("plugins", "--json").stdout)
    return next(p["caps"] for p in plugins if (p["kind"], p["name"]) == (kind, name))


def unverified(**options):
    """A client's TLS context that believes everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in options.items():
        setattr(context, name, value)
    return context


def status(server):
    """The /status of a `weft serve`, by a connection of its own."""
    scheme, _, place = server.url.partition("://")
    if scheme == "https":
        connection = http.client.HTTPSConnection(place, timeout=SECONDS, context=unverified())
    else:
        connection = http.client.HTTPConnection(place, timeout=SECONDS)
    try:
        connection.request("GET", "/status")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


class Program:
    """A program that prints `listening URL` lines and then serves until SIGTERM.

    with Program(["./server", "0"]) as server: server.url, server.urls
    """

    def __init__(self, command, listeners=1, **options):
        self.urls = []
        self.exit_code = None
        self._errors = tempfile.TemporaryFile()
        self._lines = queue.Queue()
        self.process = subprocess.Popen(
            [str(c) for c in command], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._errors, **options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._await(listeners)
        except BaseException:
            self.kill()
            raise

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _await(self, listeners):
        deadline = time.monotonic() + SECONDS
        while len(self.urls) < listeners:
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.process.args}: does not listen: {self.errors()}") from None
            if line is None:
                raise AssertionError(f"{self.process.args}: ended: {self.errors()}")
            word, _, rest = line.strip().partition(" ")
            if word == "listening":
                self.urls.append(rest.partition(",")[0])

    @property
    def url(self):
        """The first listener's."""
        return self.urls[0]

    @property
    def port(self):
        """The first listener's."""
        return int(self.url.rpartition(":")[2])

    def errors(self):
        """What it has written to standard error so far."""
        self._errors.flush()
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace")

    def stop(self, sig=signal.SIGTERM):
        """Asks it to end, once; the exit code."""
        if self.exit_code is None:
            self.process.send_signal(sig)
        return self.wait()

    def wait(self, timeout=SECONDS):
        """For the end of one that was asked already; the exit code."""
        if self.exit_code is None:
            try:
                self.exit_code = self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.process.args}: does not end: {self.errors()}") from None
            self._close()
        return self.exit_code

    def kill(self):
        """Ends it at once."""
        self.process.kill()
        self.exit_code = self.process.wait()
        self._close()

    def _close(self):
        self._reader.join()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        # who stopped it by hand has looked at the exit code
        code = self.stop() if self.exit_code is None else 0
        errors = self.errors()
        self._errors.close()
        if kind is None and code:
            raise AssertionError(f"{self.process.args}: exit code {code}: {errors}")


class Talk:
    """A program that is talked to: .text is what it has printed so far, to either stream."""

    def __init__(self, *command, **options):
        self.text = ""
        self.process = subprocess.Popen([str(c) for c in command], bufsize=0, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)

    def _read(self, deadline):
        left = max(0, deadline - time.monotonic())
        if not select.select([self.process.stdout], [], [], left)[0]:
            raise AssertionError(f"{self.process.args}: says no more than: {self.text}")
        piece = os.read(self.process.stdout.fileno(), 65536)
        self.text += piece.decode(errors="replace")
        return piece

    def until(self, pattern):
        """Waits for it to print this, and returns the match."""
        deadline = time.monotonic() + SECONDS
        while not (match := re.search(pattern, self.text)):
            if not self._read(deadline):
                raise AssertionError(f"{self.process.args}: ended without {pattern}: {self.text}")
        return match

    def say(self, text):
        """To its standard input."""
        self.process.stdin.write(text.encode())

    def rest(self):
        """All it prints until it ends by itself."""
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            pass
        self.process.wait(SECONDS)
        return self.text

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def serve(*arguments, listen=("http://127.0.0.1:0",), **options):
    """`weft serve` at these listeners, as a Program."""
    command = [BIN, "serve", *arguments]
    for url in listen:
        command += ["--listen", url]
    return Program(command, listeners=len(listen), **options)


class Certificates:
    """A CA and a certificate from it for localhost, 127.0.0.1 and ::1, as PEM files in a folder."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.ca, self.ca_key = folder / "ca.pem", folder / "ca.key"
        self.cert, self.key = folder / "cert.pem", folder / "cert.key"
        self.folder = folder
        self._openssl("/CN=weft test CA", self.ca, self.ca_key,
                      "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
        self._openssl("/CN=localhost", self.cert, self.key,
                      "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth",
                      "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
                      issuer=["-CA", self.ca, "-CAkey", self.ca_key])

    def issue(self, name, names, start="20200101000000Z", end="20491231235959Z",
              usage="serverAuth"):
        """Another certificate from the CA, as (certificate, key) files; names as DNS:x,IP:y."""
        cert, key, request = (self.folder / f"{name}.{x}" for x in ("pem", "key", "csr"))
        config, extensions = self.folder / "ca.cnf", self.folder / f"{name}.ext"
        config.write_text(f"""[ca]
default_ca = default
[default]
database = {self.folder}/issued
new_certs_dir = {self.folder}
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
""")
        (self.folder / "issued").touch()
        extensions.write_text(f"basicConstraints=critical,CA:FALSE\n"
                              f"extendedKeyUsage={usage}\nsubjectAltName={names}\n")
        self._run("req", "-new", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                  "-keyout", key, "-out", request)
        self._run("ca", "-config", config, "-batch", "-notext", "-cert", self.ca,
                  "-keyfile", self.ca_key, "-in", request, "-out", cert,
                  "-startdate", start, "-enddate", end, "-extfile", extensions)
        return cert, key

    @staticmethod
    def pin(cert):
        """sha256//BASE64 of a certificate's public key, as curl and `weft get` want it."""
        pem = run("openssl", "x509", "-in", cert, "-noout", "-pubkey").stdout
        der = run("openssl", "pkey", "-pubin", "-outform", "der", text=False, stdin=None,
                  input=pem.encode()).stdout
        return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    @staticmethod
    def _run(*arguments):
        done = run("openssl", *arguments)
        if done.returncode:
            raise AssertionError(f"openssl: {done.stderr}")

    @staticmethod
    def _openssl(subject, cert, key, *extensions, issuer=()):
        extensions = [word for e in extensions for word in ("-addext", e)]
        Certificates._run(
            "req", "-x509", "-config", "/dev/null", "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject,
            "-keyout", key, "-out", cert, *issuer, *extensions)
