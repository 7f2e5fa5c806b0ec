# SPDX-License-Identifier: MIT
"""What is asked of the servers, and what is counted meanwhile."""
import dataclasses
import json
import re
import resource
import shutil
import subprocess

import clients
import measure
from servers import FILE_MIB, Missing

HELLO, BIG = "/hello", "/big.bin"
SPARE = 200  # descriptors beside those of the connections


@dataclasses.dataclass
class Case:
    """One row of work for every server. measure(case, server, running, env) returns what was seen."""
    name: str
    title: str
    unit: str
    measure: object
    tls: str = ""  # "": plain; "any": the newest version of the server; else this version
    tickets: bool = False
    requests: int = 0
    conns: int = 50
    depth: int = 1
    path: str = HELLO
    mib: int = 0  # per request
    floor: bool = True  # the floor can take part
    held: int = 0  # connections that rest
    http2: bool = False
    clients: bool = False  # they are measured, not servers

    def version(self, server):
        """The TLS version of this case with that server, "" without; None: they have none in common."""
        if self.tls in ("", *server.tls):
            return self.tls
        return server.tls[0] if self.tls == "any" and server.tls else None


class Env:
    """Where programs are, and how much work is to be done."""

    def __init__(self, build, folder, scale, generator, seconds):
        self.load = build / "bench" / "bench-load"
        self.folder, self.scale, self.generator, self.seconds = folder, scale, generator, seconds
        self.failed = False  # a server that was there did not do what it should

    def count(self, number, least):
        """A number of the full run, scaled."""
        return max(least, int(number * self.scale))

    def held(self, case):
        """How many connections rest in this case; Missing where so many may not be open."""
        number = self.count(case.held, 10)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if number + SPARE > limit:
            raise Missing(f"{number:,} connections need more descriptors than {limit:,} (ulimit -n)")
        return number

    def title(self, case):
        """With the number of connections that really rest."""
        return case.title.format(held=self.count(case.held, 10))


class Load:
    """bench-load, prepared: its connections are up, and nothing of what follows has begun."""

    def __init__(self, env, mode, case, server, running, *arguments):
        version = case.version(server)
        command = [env.load, mode, "--port", running.port, "--path", case.path, *arguments]
        self.process = measure.start(command + (["--tls", version] if version else []), measure.cores()[1],
                                     text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            self._fail()

    def _fail(self):
        error = self.process.communicate()[1].strip()
        self.close()
        raise RuntimeError(error)

    def run(self):
        """Does it; what it says at its end."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self._fail()
        return json.loads(line)

    def close(self):
        """Has it close its connections and end, or ends it."""
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        measure.stop(self.process)
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def per_request(case, cpu, done):
    """The figures of a run that had requests."""
    figures = {"value": cpu / done["requests"], "rate": done["requests"] / done["seconds"]}
    return figures | ({"per_mib": figures["value"] / case.mib} if case.mib else {})


def own_busy(case, server, running, env):
    """Kept connections, by our generator."""
    requests = env.count(case.requests, case.conns * case.depth)
    with Load(env, "busy", case, server, running, "--conns", case.conns, "--depth", case.depth,
              "--requests", requests) as load:
        before = measure.cpu_us(running.pid)
        done = load.run()
        return per_request(case, measure.cpu_us(running.pid) - before, done)


def wrk(case, running, env):
    """Kept connections, by wrk. Its handshakes are in the figure: some ms of some s, for everybody."""
    if not shutil.which("wrk"):
        raise Missing("wrk is not there: scripts/setup bench, or --generator own")
    before = measure.cpu_us(running.pid)
    process = measure.start(["wrk", "-t1", f"-c{case.conns}", f"-d{env.seconds}s", "--timeout", "20s",
                             running.url(case.path)], measure.cores()[1], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.communicate()[0]
    cpu = measure.cpu_us(running.pid) - before
    done = re.search(r"(\d+) requests in ([\d.]+)s", text)
    if process.returncode or not done or "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"wrk: {text}")
    return per_request(case, cpu, {"requests": int(done[1]), "seconds": float(done[2])})


def busy(case, server, running, env):
    """Kept connections."""
    return wrk(case, running, env) if env.generator == "wrk" else own_busy(case, server, running, env)


def h2load(case, server, running, env):
    """Kept HTTP/2 connections, by nghttp2's load generator; its handshakes are in the figure."""
    if not shutil.which("h2load"):
        raise Missing("h2load is not there: scripts/setup bench")
    requests = env.count(case.requests, case.conns * case.depth)
    before = measure.cpu_us(running.pid)
    process = measure.start(["h2load", f"-n{requests}", f"-c{case.conns}", f"-m{case.depth}", "-t1",
                             running.url(case.path)], measure.cores()[1], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.communicate()[0]
    cpu = measure.cpu_us(running.pid) - before
    rate = re.search(r"finished in \S+, ([\d.]+) req/s", text)
    if process.returncode or not rate or f" {requests} succeeded" not in text or f" {requests} 2xx" not in text:
        raise RuntimeError(f"h2load: {text}")
    return per_request(case, cpu, {"requests": requests, "seconds": requests / float(rate[1])})


def handshakes(case, server, running, env):
    """New connections, one after the other."""
    options = ["--resume"] if case.tickets else []
    with Load(env, "handshake", case, server, running, "--requests", env.count(case.requests, 5),
              *options) as load:
        before = measure.cpu_us(running.pid)
        done = load.run()
        cpu = measure.cpu_us(running.pid) - before
    wanted = done["requests"] if case.tickets else 0
    if done["resumed"] != wanted:
        raise Missing(f"{server.name}: {done['resumed']} of {done['requests']} handshakes were resumed")
    return per_request(case, cpu, done)


def idle(case, server, running, env):
    """Anonymous memory per connection that rests after a request. One has come and gone before."""
    mode = "hold-h2" if case.http2 else "hold"
    with Load(env, mode, case, server, running, "--conns", 1) as load:
        load.run()
    before = measure.anonymous_bytes(running.pid)
    conns = env.held(case)
    with Load(env, mode, case, server, running, "--conns", conns) as load:
        grown = measure.anonymous_bytes(running.pid) - before
        load.run()  # all of them are still there
    return {"value": grown / conns}


def crowd(case, server, running, env):
    """Busy connections among many that rest."""
    with Load(env, "hold", case, server, running, "--conns", env.held(case)) as held:
        figures = busy(case, server, running, env)
        held.run()
    return figures


CPU, BYTES = "µs", "bytes"
ALL = [
    Case("keepalive", "13 bytes, 50 kept connections", CPU, busy, requests=200_000),
    Case("pipelined", "13 bytes, 50 kept connections, 16 requests at once", CPU, own_busy, depth=16,
         requests=1_000_000),
    Case("tls", "13 bytes, 50 kept TLS connections", CPU, busy, tls="any", requests=150_000),
    Case("handshake", "full TLS 1.3 handshake and one request", CPU, handshakes, tls="1.3", requests=2_000),
    Case("handshake-1.2", "full TLS 1.2 handshake and one request", CPU, handshakes, tls="1.2",
         requests=2_000),
    Case("resumed", "resumed TLS 1.3 handshake and one request", CPU, handshakes, tls="1.3", tickets=True,
         requests=2_000),
    Case("resumed-1.2", "resumed TLS 1.2 handshake and one request", CPU, handshakes, tls="1.2",
         tickets=True, requests=2_000),
    Case("file", f"a file of {FILE_MIB} MiB, 4 connections", CPU, own_busy, requests=600, conns=4, path=BIG,
         mib=FILE_MIB, floor=False),
    Case("file-tls", f"a file of {FILE_MIB} MiB over TLS, 4 connections", CPU, own_busy, tls="any",
         requests=200, conns=4, path=BIG, mib=FILE_MIB),
    Case("idle", "anonymous memory per idle connection, of {held:,}", BYTES, idle, held=3_000),
    Case("idle-tls", "anonymous memory per idle TLS connection, of {held:,}", BYTES, idle, tls="any",
         held=1_000),
    Case("crowd", "13 bytes, 50 kept connections beside {held:,} idle ones", CPU, busy, requests=200_000,
         held=10_000),
    Case("h2", "13 bytes over HTTP/2 without TLS, 10 connections, 100 streams at once on each", CPU, h2load,
         http2=True, requests=400_000, conns=10, depth=100),
    Case("h2-tls", "13 bytes over HTTP/2 and TLS, 10 connections, 100 streams at once on each", CPU, h2load,
         tls="any", http2=True, requests=400_000, conns=10, depth=100),
    Case("h2-file-tls", f"a file of {FILE_MIB} MiB over HTTP/2 and TLS, 4 connections", CPU, h2load, tls="any",
         http2=True, requests=200, conns=4, path=BIG, mib=FILE_MIB),
    Case("h2-idle-tls", "anonymous memory per idle HTTP/2 connection over TLS, of {held:,}", BYTES, idle,
         tls="any", http2=True, held=1_000),
    Case("client", "clients: requests to one origin over HTTP/2 and TLS, 100 at once", CPU, clients.ask, tls="1.3",
         http2=True, clients=True, requests=1_000, depth=100),
]
