# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Pages as a browser lays them out: Debian's Chromium, without a window. A page stands in a frame of the wanted width, since
a window has a least one of its own."""
import html
import json
import re
import shutil
import subprocess

import pytest

MEASURE = """
const inner = frame.contentDocument, root = inner.documentElement;
const width = root.clientWidth;
const wide = [...inner.body.querySelectorAll('*')].filter(one => {
  for (let at = one; at && at !== inner.body; at = at.parentElement)
    if (at !== one && inner.defaultView.getComputedStyle(at).overflowX === 'auto' && at.scrollWidth <= at.clientWidth) break;
  return one.getBoundingClientRect().right > width + 0.5; });
const scrolled = [...inner.body.querySelectorAll('div')].filter(one => one.scrollWidth > one.clientWidth + 1
  && inner.defaultView.getComputedStyle(one).overflowX === 'auto');
const ground = () => inner.defaultView.getComputedStyle(inner.body).backgroundColor;
const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = colour => { const [r, g, b] = colour.match(/[0-9.]+/g).map(Number);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
const under = one => { for (let at = one; at; at = at.parentElement) {
  const colour = inner.defaultView.getComputedStyle(at).backgroundColor; if (!/, 0\\)$/.test(colour)) return colour; } return 'rgb(255,255,255)'; };
let least = 99, worst = '', smallest = 99;
for (const one of inner.body.querySelectorAll('*')) {
  const style = inner.defaultView.getComputedStyle(one);
  if (![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || !one.getClientRects().length) continue;
  const [a, b] = [light(style.color), light(under(one))], contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < least) { least = contrast; worst = one.textContent.trim().slice(0, 40); }
  smallest = Math.min(smallest, parseFloat(style.fontSize)); }
return { scroll: root.scrollWidth, width,
  wide: wide.map(one => one.tagName + ' ' + one.textContent.trim().slice(0, 40)).slice(0, 5), scrolled: scrolled.length,
  contrast: least, worst, smallest, ground: ground() };
"""


def run(page, folder, widths, is_dark, *options):
    if not shutil.which("chromium"):
        pytest.fail("chromium is not installed: packaging/install-packages test")
    frames = "".join(f'<iframe class="page" style="border:0;width:{width}px;height:6000px" srcdoc="{html.escape(page)}"></iframe>'
                     for width in widths)
    around = folder / "frames.html"
    around.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">{frames}<pre id="said"></pre><script>'
                      f"const measure = frame => {{{MEASURE}}};"
                      "addEventListener('load', () => { document.getElementById('said').textContent ="
                      " JSON.stringify([...document.querySelectorAll('.page')].map(measure)); })</script>")
    return subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
                           "--hide-scrollbars", f"--user-data-dir={folder}/chromium", "--virtual-time-budget=5000",
                           f"--blink-settings=preferredColorScheme={0 if is_dark else 1}", *options, around.as_uri()],
                          capture_output=True, text=True, timeout=300, check=True).stdout


def measure(page, folder, widths, is_dark=False):
    """For each width what the page takes: `scroll` and `width` in pixels, elements that stick out (`wide`), boxes that scroll
    sideways, the least contrast of a text with its ground and which one has it, the smallest size of a text, the ground."""
    dom = run(page, folder, widths, is_dark, "--dump-dom")
    return json.loads(html.unescape(re.search(r'<pre id="said">(.*?)</pre>', dom, re.S).group(1)))


def assert_legible(page, folder):
    """At two widths, light and dark: nothing sticks out, nothing scrolls sideways, texts are large and dark enough."""
    widths = (390, 1000)
    for is_dark, ground in ((False, "rgb(255, 255, 255)"), (True, "rgb(13, 17, 23)")):
        for width, seen in zip(widths, measure(page, folder, widths, is_dark), strict=True):
            assert seen["width"] == width and seen["scroll"] <= width and not seen["wide"] and not seen["scrolled"], seen
            assert seen["contrast"] >= 4.5 and seen["smallest"] >= 13 and seen["ground"] == ground, (is_dark, seen)


def picture(page, folder, width, is_dark, height=3000):
    """A picture of it, for people."""
    path = folder / f"page-{width}-{'dark' if is_dark else 'light'}.png"
    run(page, folder, (width,), is_dark, f"--screenshot={path}", f"--window-size={width},{height}")
    return path
