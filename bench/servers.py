# SPDX-License-Identifier: MIT
"""The servers that are measured: how each is configured, started and stopped."""
import pathlib
import shutil
import socket
import subprocess
import time

import measure

FILE_MIB = 10
SECONDS = 20  # a start may take
HELLO = b"Hello, World\n"

NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 40000; }}
http {{
	access_log off;
	sendfile on;
	keepalive_requests 1000000000;
	keepalive_timeout 3600s;
	default_type application/octet-stream;
	client_body_temp_path {folder}/t1;
	proxy_temp_path {folder}/t2;
	fastcgi_temp_path {folder}/t3;
	uwsgi_temp_path {folder}/t4;
	scgi_temp_path {folder}/t5;
	ssl_certificate {folder}/cert.pem;
	ssl_certificate_key {folder}/key.pem;
	ssl_protocols TLSv1.2 TLSv1.3;
	ssl_session_cache off;
	ssl_session_tickets {on_off};
	server {{
		listen 127.0.0.1:{http}{h2c};
		listen 127.0.0.1:{https} ssl http2;
		root {folder}/www;
		http2_max_concurrent_streams 1000;
		location = /hello {{ default_type text/plain; return 200 "Hello, World\\n"; }}
	}}
}}
"""

H2O = """
num-threads: 1
max-connections: 40000
http1-request-timeout: 3600
pid-file: {folder}/h2o.pid
error-log: {folder}/h2o.log
{user}
ssl-session-resumption: {{ mode: "{mode}" }}
listen:
{listen}
hosts:
  default:
    paths:
      "/":
        file.dir: {folder}/www
"""


H2O_PLAIN = """  host: 127.0.0.1
  port: {http}"""
H2O_TLS = """  host: 127.0.0.1
  port: {https}
  ssl:
    certificate-file: {folder}/cert.pem
    key-file: {folder}/key.pem
    minimum-version: TLSv1.2
    ocsp-update-interval: 0"""


class Missing(Exception):
    """A server or tool that is not there; the text says what brings it."""


def free_port():
    """A port on loopback that nobody has."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def prepare(folder):
    """Files to serve and a P-256 certificate."""
    www = folder / "www"
    www.mkdir()
    (www / "hello").write_bytes(HELLO)
    (www / "big.bin").write_bytes(bytes(range(256)) * (FILE_MIB << 12))
    subprocess.run(["openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, stderr=subprocess.DEVNULL)
    for path in (folder, www, *folder.glob("*.pem"), *www.iterdir()):
        path.chmod(0o755)


class Server:
    """One way of serving. Below: start() gives a Running one."""

    def __init__(self, name, tls=(), program=None, package=None):
        self.name = name
        self.tls = tls  # the versions that it speaks, newest first
        self.program = program
        self.package = package

    def find(self):
        """The program's path, or Missing."""
        path = shutil.which(str(self.program)) or shutil.which(str(self.program), path="/usr/sbin")
        if not path:
            raise Missing(f"{self.name}: no {self.program}: {self.package}")
        return path

    def command(self, folder, ports, tls, tickets):
        """What to run; its configuration is in the folder by then."""
        raise NotImplementedError

    def start(self, folder, tls, tickets):
        """The server, ready to be asked; with tickets for resumption or without."""
        return Running(self, folder, tls, tickets)


class Nginx(Server):
    """Debian's, with one worker."""

    def command(self, folder, ports, tls, tickets):
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, on_off="on" if tickets else "off", h2c=self.h2c,
                                       user=user("user {};"), **ports))
        return [self.find(), "-p", folder, "-c", config]

    h2c = ""  # this version speaks one protocol on a port without TLS


class NginxH2c(Nginx):
    """By prior knowledge."""
    h2c = " http2"


class H2o(Server):
    """Debian's, with one thread."""

    def command(self, folder, ports, tls, tickets):
        config = folder / "h2o.conf"
        listen = (H2O_TLS if tls else H2O_PLAIN).format(folder=folder, **ports)
        config.write_text(H2O.format(folder=folder, mode="ticket" if tickets else "off", listen=listen,
                                     user=user("user: {}")))
        return [self.find(), "-c", config]


class Nghttpd(Server):
    """nghttp2's own server, with one thread. It speaks HTTP/2 alone."""

    def command(self, folder, ports, tls, tickets):
        command = [self.find(), "--address=127.0.0.1", "-d", folder / "www"]
        if tls:
            return command + [ports["https"], folder / "key.pem", folder / "cert.pem"]
        return command + ["--no-tls", ports["http"]]


class Lws(Server):
    """Our small server on libwebsockets."""

    def command(self, folder, ports, tls, tickets):
        command = [self.find(), ports["https" if tls else "http"], folder / "www"]
        return command + ([folder / "cert.pem", folder / "key.pem"] if tls else [])


class Floor(Server):
    """A canned answer from a loop that parses nothing."""

    def command(self, folder, ports, tls, tickets):
        return [self.find(), ports["http"]]


class Weft(Server):
    """Ours: a loop, and a TLS backend or none."""

    def __init__(self, program, loop, backend=None, versions=()):
        super().__init__(f"weft {loop}" + (f"+{backend}" if backend else ""), versions, program)
        self.loop, self.backend = loop, backend

    def command(self, folder, ports, tls, tickets):
        command = [self.find(), self.loop, self.backend or "none", folder / "www", ports["http"]]
        if tls:
            command += [ports["https"], folder / "cert.pem", folder / "key.pem",
                        "tickets" if tickets else "no-tickets"]
        return command


def user(text):
    """Servers that would change their user may not, or files of ours are out of their reach."""
    return text.format("root") if pathlib.Path("/proc/self").owner() == "root" else ""


def plain(build):
    """The servers of the cases without TLS."""
    return [Floor("floor", (), build / "bench" / "bench-floor"), *peers(build),
            *(Weft(build / "bench" / "bench-server", loop) for loop in ("libevent", "poll"))]


def secure(build):
    """The servers of the cases with TLS."""
    program = build / "bench" / "bench-server"
    return [*peers(build), *(Weft(program, loop, backend, versions) for loop in ("libevent", "poll")
                             for backend, versions in (("gnutls", ("1.3", "1.2")),
                                                       ("mbedtls", ("1.2",))))]


def http2(build, tls):
    """The servers of the cases of HTTP/2."""
    both = ("1.3", "1.2")
    nginx = Nginx if tls else NginxH2c
    return [Nghttpd("nghttpd", both, "nghttpd", "scripts/setup bench"),
            nginx("nginx", both, "nginx", "scripts/setup bench"),
            H2o("h2o", both, "h2o", "scripts/setup bench"),
            *(s for s in (secure if tls else plain)(build) if isinstance(s, Weft))]


def peers(build):
    """What others built."""
    both = ("1.3", "1.2")
    return [Nginx("nginx", both, "nginx", "scripts/setup bench"),
            H2o("h2o", both, "h2o", "scripts/setup bench"),
            Lws("libwebsockets", both, build / "bench" / "bench-lws", "scripts/setup bench, and build again")]


class Running:
    """A server that runs, on its core."""

    def __init__(self, server, folder, tls, tickets):
        ports = {"http": free_port(), "https": free_port()}
        self.scheme = "https" if tls else "http"
        self.port = ports[self.scheme]
        self.log = open(folder / "server.log", "w+", encoding="utf-8", errors="replace")
        self.process = measure.start(server.command(folder, ports, tls, tickets), measure.cores()[0],
                                     stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        try:
            self._await(server)
        except BaseException:
            self.close()
            raise

    def _await(self, server):
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.log.seek(0)
                    raise RuntimeError(f"{server.name} does not listen: {self.log.read()}") from None
                time.sleep(0.02)

    def url(self, path):
        """Where wrk and others find it."""
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def close(self):
        """Ends it."""
        measure.stop(self.process)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
