# SPDX-License-Identifier: MIT
"""What bench/trust measured: as text, as a section of a Markdown page, as a picture, and judged."""
import html
import math

import report

BEGIN, END = "<!-- bench/trust: begin -->", "<!-- bench/trust: end -->"
HEADS = ("backend", "hold", "stores", "idle", "one in use", "all in use", "after", "build µs, median", "p99")
ON_DEMAND = ("stream", "connection")
TOLERANCE = 1024  # bytes that idle may differ


def size(count):
    """Bytes as a person reads them."""
    if abs(count) < 10240:
        return f"{count:,} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if abs(count) < 1024 or unit == "GiB":
            return f"{count:,.1f} {unit}"
    return ""


def cells(row):
    """A row of the table."""
    all_ = size(row["all"])
    if row["all_stores"] < row["stores"]:
        all_ += f" (of {row['all_stores']})"
    return [row["backend"], row["hold"], str(row["stores"]), size(row["idle"]), size(row["one"]), all_,
            size(row["after"]), f"{row['build_us_median']:,}", f"{row['build_us_p99']:,}"]


def show(rows):
    """All as text."""
    lines = [list(HEADS)] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    return "\n".join("  ".join(f"{cell:<{w}}" if i < 2 else f"{cell:>{w}}"
                               for i, (cell, w) in enumerate(zip(line, widths))) for line in lines)


# ---- the verdict ----

def groups(rows):
    """(backend, hold) and its rows by stores."""
    found = {}
    for row in rows:
        found.setdefault((row["backend"], row["hold"]), {})[row["stores"]] = row
    return found.items()


def faults(rows):
    """Where the heap is not as DESIGN 6 says, in words."""
    for (backend, hold), by_stores in groups(rows):
        least = by_stores[min(by_stores)]
        for stores, row in by_stores.items():
            judge = faults_on_demand if hold in ON_DEMAND else faults_of_policy
            yield from judge(f"{backend}, hold: {hold}, {stores} stores", row, least)


def faults_on_demand(who, row, least):
    """Nothing while idle, and one store's when one is in use, however many there are."""
    if row["idle"] != least["idle"]:
        yield f"{who}: idle is {row['idle']} bytes, and {least['idle']} with {least['stores']}"
    if not row["one"] - row["idle"] < 1.1 * (least["one"] - least["idle"]):
        yield f"{who}: one in use takes {row['one']} bytes, and {least['one']} with {least['stores']}"
    for what, off in (("after all were in use", row["after"] - row["idle"]), ("between rounds", row["drift"])):
        if abs(off) > TOLERANCE:
            yield f"{who}: {what}, {off:+} bytes against idle, expected at most {TOLERANCE}"
    # if none were in it, the heap would say nothing
    if not row["all"] > 0.8 * row["all_stores"] * least["one"]:
        yield f"{who}: {row['all_stores']} in use take {row['all']} bytes, and one of them {least['one']}"


def faults_of_policy(who, row, least):
    """The control: each store costs as much as the first."""
    if not row["idle"] > 0.8 * row["stores"] * least["idle"] / least["stores"] > 0:
        yield f"{who}: idle is {row['idle']} bytes, and {least['idle']} with {least['stores']}: expected it to rise"


# ---- the page ----

def section(kept, picture):
    """All figures as Markdown."""
    rows = kept["rows"]
    rounds = max(row["rounds"] for row in rows)
    words = (f"Made by `{kept['command']}`: {rows[0]['certificates']} certificates in the bundle, up to {rounds:,} rounds. "
             f"{kept['machine']}")
    body = report.table(list(HEADS), [cells(row) for row in rows])
    drift = max(row["drift"] for row in rows if row["hold"] in ON_DEMAND) if rows else 0
    return "\n\n".join([words, f"![heap against the number of trust stores]({picture})", body,
                        f"After each round of one stream, the heap differed from idle by at most {drift} bytes."])


def write_page(path, kept):
    """Puts the figures between the page's two marks, and the picture beside it."""
    picture = path.with_name("trust.svg")
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"bench/trust: {path} has no lines {BEGIN} and {END} to write between")
    picture.write_text(draw(kept["rows"]), encoding="utf-8")
    path.write_text(f"{before}{BEGIN}\n{section(kept, picture.name)}\n{END}{after}", encoding="utf-8")


# ---- the picture ----

PANEL, HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 460, 330, 74, 44, 44, 24
LEAST_POWER = 5  # of ten: below it, down to nothing, the axis has one step
LINES = (  # class, label, hold, figure
    ("all", "all in use", "connection", "all"),
    ("held", "idle, hold: policy", "policy", "idle"),
    ("one", "one in use", "connection", "one"),
    ("ours", "idle, hold: connection", "connection", "idle"),
)
STYLE = report.STYLE + """
line { stroke: #d0d7de } polyline { fill: none; stroke-width: 2 } circle { stroke: none }
.l-ours { stroke: #0969da } .l-one { stroke: #1a7f37 } .l-all { stroke: #8c959f } .l-held { stroke: #cf222e }
.f-ours { fill: #0969da } .f-one { fill: #1a7f37 } .f-all { fill: #8c959f } .f-held { fill: #cf222e }
@media (prefers-color-scheme: dark) { line { stroke: #3d444d } }
"""


def height_of(bytes_, steps):
    """From 0 at the bottom to 1: logarithmic, but nothing is nothing."""
    if bytes_ <= 0:
        return 0
    power = max(0, math.log10(bytes_) - LEAST_POWER + 1)
    return min(1, max(bytes_ / 10**LEAST_POWER if power < 1 else power, 0) / steps)


def grid(x, y, steps, stores):
    """The axes with what stands at them."""
    out = []
    for step in range(steps + 1):
        at = y + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * step / steps
        label = "0" if not step else bytes_label(10**(LEAST_POWER + step - 1))
        out.append(f'<line x1="{x + LEFT}" y1="{at:.1f}" x2="{x + PANEL - RIGHT}" y2="{at:.1f}"/>')
        out.append(f'<text x="{x + LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    for i, count in enumerate(stores):
        out.append(f'<text x="{place(x, i, stores):.1f}" y="{y + HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                   f"{count}</text>")
    out.append(f'<text x="{x + (LEFT + PANEL) / 2:.1f}" y="{y + HEIGHT - 8}" text-anchor="middle">trust stores</text>')
    return out


def bytes_label(count):
    """Of an axis: a power of ten."""
    return f"{count // 10**9} GB" if count >= 10**9 else f"{count // 10**6} MB" if count >= 10**6 else \
        f"{count // 1000} kB"


def place(x, index, stores):
    """Where a number of stores is, from left to right."""
    return x + LEFT + 20 + (PANEL - LEFT - RIGHT - 40) * index / max(1, len(stores) - 1)


def panel(backend, rows, x, y, steps):
    """One backend: a line a way of holding."""
    stores = sorted({row["stores"] for row in rows})
    out = [f'<text class="title" x="{x}" y="{y + 14}">{html.escape(backend)}: heap by trust stores</text>']
    out += grid(x, y, steps, stores)
    span = HEIGHT - TOP - BOTTOM
    for kind, label, hold, figure in LINES:
        points = [(place(x, stores.index(row["stores"]), stores),
                   y + HEIGHT - BOTTOM - span * height_of(row[figure], steps)) for row in rows if row["hold"] == hold]
        if not points:
            continue
        out.append(f'<polyline class="l-{kind}" points="' + " ".join(f"{px:.1f},{py:.1f}" for px, py in points) + '"/>')
        out += [f'<circle class="f-{kind}" cx="{px:.1f}" cy="{py:.1f}" r="3"/>' for px, py in points]
        # where lines run together, one label stands above, the other below
        away = {"held": 36, "one": 18}.get(kind, -8)
        out.append(f'<text class="f-{kind}" x="{points[-1][0]:.1f}" y="{points[-1][1] + away:.1f}" '
                   f'text-anchor="end">{label}</text>')
    return out


def draw(rows):
    """A panel for each backend, beside each other."""
    backends = list(dict.fromkeys(row["backend"] for row in rows))
    most = max((max(row["all"], row["idle"]) for row in rows), default=1)
    steps = max(1, math.ceil(math.log10(max(most, 1))) - LEAST_POWER + 1)
    out = []
    for i, backend in enumerate(backends):
        out += panel(backend, [row for row in rows if row["backend"] == backend], 10 + i * (PANEL + 20), 10, steps)
    width, height = len(backends) * (PANEL + 20) + 10, HEIGHT + 20
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(out) + "\n</svg>\n")
