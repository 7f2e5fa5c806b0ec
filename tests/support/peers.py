# SPDX-License-Identifier: MIT
"""Servers of other people, for `weft get`: in the foreground, on free ports, in a folder of their own.

Each writes a line of key=value words for every request to its log: conn (differs between
connections), status, method, path, and over TLS reused, and what else it knows.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import weftlib


def free_ports(count):
    """Ports that nobody listens at now."""
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


def answers(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), weftlib.SECONDS).close()
        return True
    except OSError:
        return False


class Peer:
    """A server that listens at two ports, with and without TLS; `with` ends it.

    command(plain, tls) writes the configuration and returns what to run.
    """
    tries = 5  # somebody else may take the ports first

    def __init__(self, folder, **options):
        self.folder = pathlib.Path(folder)
        self.log = self.folder / "requests.log"
        self.options = options
        for _ in range(self.tries):
            self.log.write_text("")
            self.plain, self.tls = free_ports(2)
            if self._start(self.command(self.plain, self.tls)):
                return
        raise AssertionError(f"{type(self).__name__} does not start: {self.errors()}")

    def command(self, plain, tls):
        """To run it in the foreground."""
        raise NotImplementedError

    def _start(self, command):
        with open(self.folder / "errors.log", "wb") as errors:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                cwd=self.folder, start_new_session=True)

        def settled():
            return self.process.poll() is not None or (answers(self.plain) and answers(self.tls))
        try:
            weftlib.wait_until(settled, f"{command[0]} listens")
        except BaseException:
            self.stop()
            raise
        return self.process.poll() is None

    def errors(self):
        """What it complained about."""
        return "".join(f.read_text(errors="replace") for f in self.folder.glob("errors*.log"))

    def url(self, scheme, path="/"):
        """Of the listener with or without TLS."""
        port = self.tls if scheme == "https" else self.plain
        return f"{scheme}://localhost:{port}{path}"

    def requests(self, since=0, count=None):
        """The log from a line on, as dicts; waits for so many lines."""
        def lines():
            found = self.log.read_text().splitlines()[since:]
            return found if count is None or len(found) >= count else None
        found = weftlib.wait_until(lines, f"{count} requests in the log") if count else lines()
        return [dict(word.partition("=")[::2] for word in line.split()) for line in found]

    def mark(self):
        """How many lines the log has now."""
        return len(self.requests())

    def stop(self):
        """Ends it, and what it started: it leads a session of its own."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(weftlib.SECONDS)
        except ProcessLookupError:
            self.process.wait()
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()


class Nginx(Peer):
    """options: files (Certificates), root, echo (URL of one that sends bodies back), and lines
    for http and for the server: http, extra."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

    def command(self, plain, tls):
        o, here = self.options, self.folder
        config = here / "nginx.conf"
        config.write_text(f"""daemon off;
master_process off;
pid {here}/nginx.pid;
error_log {here}/errors-nginx.log;
events {{ worker_connections 256; }}
http {{
	log_format words 'conn=$connection status=$status method=$request_method path=$request_uri '
		'port=$remote_port reused=$ssl_session_reused version=$ssl_protocol '
		'alpn=$ssl_alpn_protocol client=$ssl_client_s_dn verify=$ssl_client_verify';
	access_log {here}/requests.log words;
	client_body_temp_path {here}/body;
	proxy_temp_path {here}/proxy;
	fastcgi_temp_path {here}/fastcgi;
	uwsgi_temp_path {here}/uwsgi;
	scgi_temp_path {here}/scgi;
	types {{ text/html html; application/octet-stream bin; }}
	client_max_body_size 100m;
	{o.get("http", "")}
	server {{
		listen 127.0.0.1:{plain};
		listen 127.0.0.1:{tls} ssl;
		ssl_certificate {o["files"].cert};
		ssl_certificate_key {o["files"].key};
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_session_cache shared:s:1m;
		root {o["root"]};
		location = /moved {{ return 302 /page.html; }}
		location = /chunked {{ ssi on; default_type text/html; alias {o["root"]}/page.html; }}
		location = /page.html {{ gzip on; gzip_min_length 1; }}
		location = /stats {{ stub_status; access_log off; }}
		location = /echo {{
			proxy_pass {o.get("echo", "http://127.0.0.1:9")}/echo;
			proxy_http_version 1.1;
		}}
		{o.get("extra", "")}
	}}
}}
""")
        return [self.program, "-p", here, "-c", config, "-e", here / "errors-nginx.log"]


class NginxH2(Nginx):
    """The same, which speaks HTTP/2: without TLS by prior knowledge, and nothing else there."""

    def command(self, plain, tls):
        command = super().command(plain, tls)
        config = self.folder / "nginx.conf"
        text = config.read_text().replace(f":{plain};", f":{plain} http2;").replace(" ssl;", " ssl http2;")
        config.write_text(text)
        return command


class Nghttpd(Peer):
    """nghttp2's server, which speaks HTTP/2 alone, and sends bodies back at /echo of a program of its own.
    options: files, root. It has one port: the other one is the same with TLS, of a second process."""
    program = shutil.which("nghttpd") or shutil.which("nghttpd", path="/usr/sbin")

    def command(self, plain, tls):
        o, here = self.options, self.folder
        # both live as long as the shell, which leads their session
        script = here / "both"
        script.write_text(f"""#!/bin/sh
"{self.program}" --no-tls --echo-upload -d "{o['root']}" --address=127.0.0.1 {plain} &
"{self.program}" --echo-upload --trailer "x-trailer: yes" -d "{o['root']}" --address=127.0.0.1 {tls} \
	"{o['files'].key}" "{o['files'].cert}" &
wait
""")
        script.chmod(0o755)
        return [script]


class H2o(Peer):
    """options: files, root, echo (URL of one that sends bodies back)."""
    program = shutil.which("h2o")

    def command(self, plain, tls):
        o, here = self.options, self.folder
        config = here / "h2o.conf"
        user = "user: root" if os.getuid() == 0 else ""
        config.write_text(f"""num-threads: 1
pid-file: {here}/h2o.pid
error-log: {here}/errors-h2o.log
access-log: {{ path: {here}/requests.log, format: "conn=%{{connection-id}}x status=%s method=%m path=%U" }}
{user}
listen: {{ host: 127.0.0.1, port: {plain} }}
listen:
  host: 127.0.0.1
  port: {tls}
  ssl: {{ certificate-file: "{o['files'].cert}", key-file: "{o['files'].key}", ocsp-update-interval: 0 }}
hosts:
  default:
    paths:
      "/echo": {{ proxy.reverse.url: "{o.get('echo', 'http://127.0.0.1:9')}/echo" }}
      "/": {{ file.dir: "{o['root']}" }}
""")
        return [self.program, "-c", config]


class Apache(Peer):
    """options: files (Certificates), root, and lines for all and for TLS: extra, tls_extra."""
    program = shutil.which("apache2") or shutil.which("apache2", path="/usr/sbin")
    modules = pathlib.Path("/usr/lib/apache2/modules")

    def command(self, plain, tls):
        o, here = self.options, self.folder
        names = ("mpm_event authz_core mime alias ssl socache_shmcb deflate filter "
                 "cgid setenvif headers reqtimeout")
        modules = "\n".join(f"LoadModule {name}_module {self.modules}/mod_{name}.so"
                            for name in names.split())
        # a body is read to its end first: mod_cgid passes it on whole before it looks at the answer
        self._script("echo", f'body=$(mktemp -p {here}); cat >"$body"', 'cat "$body"; rm "$body"')
        self._script("chunked", "", f"cat {o['root']}/page.html")
        config = here / "apache.conf"
        config.write_text(f"""ServerRoot {here}
ServerName localhost
Listen 127.0.0.1:{plain}
Listen 127.0.0.1:{tls}
{modules}
PidFile {here}/apache.pid
ScriptSock {here}/cgi.sock
DefaultRuntimeDir {here}
ErrorLog {here}/errors-apache.log
LogFormat "conn=%{{remote}}p status=%>s method=%m path=%U keepalives=%k \\
reused=%{{SSL_SESSION_RESUMED}}x version=%{{SSL_PROTOCOL}}x client=%{{SSL_CLIENT_S_DN}}x" words
CustomLog {here}/requests.log words
StartServers 1
ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
KeepAlive On
MaxKeepAliveRequests 0
TypesConfig /dev/null
AddType text/html .html
AddType application/octet-stream .bin
SSLSessionCache shmcb:{here}/sessions(512000)
DocumentRoot {o["root"]}
<Directory {o["root"]}>
	Require all granted
</Directory>
<Directory {here}>
	Require all granted
</Directory>
ScriptAlias /echo {here}/echo
ScriptAlias /chunked {here}/chunked
Redirect 302 /moved /page.html
<Location /page.html>
	SetOutputFilter DEFLATE
</Location>
{o.get("extra", "")}
<VirtualHost 127.0.0.1:{tls}>
	SSLEngine on
	SSLCertificateFile {o["files"].cert}
	SSLCertificateKeyFile {o["files"].key}
	{o.get("tls_extra", "")}
</VirtualHost>
""")
        return [self.program, "-f", config, "-DFOREGROUND"]

    def _script(self, name, first, then):
        script = self.folder / name
        script.write_text(f"#!/bin/sh\n{first}\n"
                          f"printf 'Content-Type: application/octet-stream\\n\\n'\n{then}\n")
        script.chmod(0o755)


SCRIPTS = pathlib.Path(__file__).parent / "servers"


class Python(Peer):
    """options: files, root, version ("HTTP/1.0" or "HTTP/1.1")."""

    def command(self, plain, tls):
        o = self.options
        return [sys.executable, SCRIPTS / "server.py", plain, tls, o["files"].cert, o["files"].key,
                o["root"], self.log, o.get("version", "HTTP/1.1")]


class Node(Peer):
    """options: files, root, idle_ms (how long a connection may be idle)."""
    program = shutil.which("node") or shutil.which("nodejs")

    def command(self, plain, tls):
        o = self.options
        return [self.program, SCRIPTS / "server.js", plain, tls, o["files"].cert, o["files"].key,
                o["root"], self.log, o.get("idle_ms", 60000)]
