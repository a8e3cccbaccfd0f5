"""The chart of create and restore, as SVG: bars, shorter is better, with the machine's limit."""

import html

WIDTH, LEFT, BAR, GAP, TITLE, TOP = 760, 190, 16, 6, 34, 30
COLOURS = {"ours": "#1f6feb", "peer": "#8c959f", "limit": "#d4a72c"}


def bars(lines, what, limit):
    """(line, kind), the fastest first, the limit at the top."""
    found = [(line, "limit") for line in lines if line["name"] == limit]
    rest = [line for line in lines if line["what"] == what]
    for line in sorted(rest, key=lambda line: line["seconds"]):
        found.append((line, "ours" if line["name"].startswith("akidb") else "peer"))
    return found


def panel(title, rows, y):
    """One group of bars from y on, each with the range of its runs; the SVG lines, and where the
    next group may begin."""
    longest = max(max(line["seconds_all"]) for line, _ in rows)
    scale = (WIDTH - LEFT - 90) / longest
    svg = [f'<text x="0" y="{y + 14}" font-weight="600">{html.escape(title)}</text>']
    y += TITLE - 8
    for line, kind in rows:
        width = max(1.5, line["seconds"] * scale)
        least, most = (LEFT + bound(line["seconds_all"]) * scale for bound in (min, max))
        middle, text = y + BAR / 2, y + BAR - 4
        label = html.escape(line["name"])
        svg.append(f'<text x="{LEFT - 8}" y="{text}" text-anchor="end">{label}</text>')
        svg.append(
            f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" '
            f'fill="{COLOURS[kind]}"/>'
        )
        svg.append(f'<path d="M{least:.1f} {middle}H{most:.1f}" stroke="#24292f"/>')
        after = max(LEFT + width, most) + 6
        svg.append(f'<text x="{after:.1f}" y="{text}">{line["seconds"] * 1e3:.0f} ms</text>')
        y += BAR + GAP
    return svg, y + GAP


def write(path, about, lines):
    """The main size with all processors."""
    rows, dimension, threads = about["main"]
    size = f"{rows}x{dimension}"
    lines = [
        line
        for line in lines
        if line["section"] == "main" and (line.get("size"), line.get("threads")) == (size, threads)
    ]
    if not lines:
        return
    shape = size.replace("x", " x ")
    create = bars(lines, "create", "write")
    restore = bars(lines, "restore", "memcpy")
    svg, y = panel(f"create {shape}: arrays in memory to a durable file", create, TOP)
    more, y = panel(f"restore {shape}: file in the page cache to arrays in memory", restore, y)
    note = f"{about['date']}, {about['machine']}; medians, lowest to highest; "
    note += "limits: write + fsync, memcpy of the same bytes"
    svg += [*more, f'<text x="0" y="{y + 12}" fill="#57606a">{html.escape(note)}</text>']
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 24}" '
        f'viewBox="0 0 {WIDTH} {y + 24}" font-family="system-ui, sans-serif" font-size="12">\n'
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
    )
    path.write_text(head + "\n".join(svg) + "\n</svg>\n")
