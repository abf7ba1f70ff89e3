"""The page in a real browser, which alone shows whether it can be read."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (360, 1280)
# A window cannot be as narrow as a phone, a frame can.
FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark">
<iframe src="probe.html" width="{width}" height="800" style="border: 0"></iframe>
<pre></pre>
<script>
addEventListener("message", (event) => {{
  document.querySelector("pre").textContent = event.data;
}});
</script>
"""
LIGHT, DARK = 1, 0
# Written into a copy of the page, to look at it from inside.
PROBE = """
<script>
addEventListener("load", () => {
  const root = document.documentElement;
  const lightness = (color) => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const contrasts = [];
  for (const node of document.querySelectorAll("main *, header *, nav *, footer *")) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    if (!own || node.closest("svg")) continue;
    const pair = [getComputedStyle(node).color, behind(node)].map(lightness);
    contrasts.push((Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
  }
  const focused = [];
  for (const node of document.querySelectorAll("a, [tabindex='0']")) {
    node.focus();
    if (document.activeElement === node) focused.push(node.tagName);
  }
  const images = [...document.querySelectorAll("[role=img]")];
  const outside = [...document.querySelectorAll("main *")].filter(
    (node) => !node.closest(".scroll") && !node.closest("svg")
      && node.getBoundingClientRect().right > root.clientWidth + 1);
  const found = {
    clientWidth: root.clientWidth,
    scrollWidth: Math.max(root.scrollWidth, document.body.scrollWidth),
    outside: outside.map((node) => node.tagName),
    background: getComputedStyle(document.body).backgroundColor,
    contrast: Math.min(...contrasts),
    focused: focused.length,
    focusable: document.querySelectorAll("a, [tabindex='0']").length,
    unnamed: images.filter((node) => !node.getAttribute("aria-label")).length,
    smallestText: Math.min(...[...document.querySelectorAll("svg text")].map(
      (node) => parseFloat(getComputedStyle(node).fontSize)
        * node.closest("svg").getBoundingClientRect().width
        / node.closest("svg").viewBox.baseVal.width)),
    title: document.title,
    scripts: document.querySelectorAll("script").length,
    loaded: performance.getEntriesByType("resource").map((entry) => entry.name),
  };
  parent.postMessage(JSON.stringify(found), "*");
});
</script>
"""


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"there is no browser: none of {', '.join(BROWSERS)} on the PATH")
    profile = tmp_path_factory.mktemp("profile")

    def browse(path, *, scheme=LIGHT):
        done = subprocess.run(
            [
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--enable-logging=stderr",
                "--v=0",
                f"--user-data-dir={profile}",
                f"--blink-settings=preferredColorScheme={scheme}",
                "--window-size=1400,900",
                "--hide-scrollbars",
                "--virtual-time-budget=5000",
                "--dump-dom",
                path.as_uri(),
            ],
            capture_output=True,
            timeout=120,
            check=True,
        )
        return done.stdout.decode(), done.stderr.decode(errors="replace")

    return browse


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    """Return the page, and frames of copies that look at themselves, by width."""
    folder = tmp_path_factory.mktemp("page")
    page = folder / "page.html"
    page.write_text(study.page, encoding="utf-8")
    # The policy forbids every script, so that the copy is without one.
    watched = re.sub(
        r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", study.page
    )
    probe = folder / "probe.html"
    probe.write_text(watched.replace("</head>", f"{PROBE}</head>", 1), encoding="utf-8")
    frames = {width: folder / f"{width}.html" for width in WIDTHS}
    for width, frame in frames.items():
        frame.write_text(FRAME.format(width=width), encoding="utf-8")
    return page, frames


def test_the_page_loads_without_any_message_and_runs_no_script(browse, files, study):
    dom, log = browse(files[0])
    assert "CONSOLE" not in log
    assert f"Does weak-to-strong pay on {study.data.name[:3]}".split("<")[0] in dom
    assert "hacked" in dom
    assert "<title>hacked" not in dom


def test_the_policy_stops_a_script_and_a_request(browse, files, tmp_path):
    text = files[0].read_text("utf-8")
    harm = "<script>document.title='ran'</script><img src='http://localhost:9/x.png'>"
    path = tmp_path / "harmed.html"
    path.write_text(text.replace("</main>", f"{harm}</main>"), encoding="utf-8")
    dom, log = browse(path)
    assert "<title>ran" not in dom
    assert log.count("violates the following Content Security Policy") >= 2


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_can_be_read_at_phone_and_desktop_width_light_and_dark(
    browse, files, width, scheme
):
    dom, log = browse(files[1][width], scheme=scheme)
    assert "CONSOLE" not in log
    found = json.loads(unescape(re.search("<pre>(.*?)</pre>", dom, re.DOTALL)[1]))
    assert found["loaded"] == []
    assert found["scripts"] == 1
    assert found["title"].startswith("Does weak-to-strong pay on")
    assert found["clientWidth"] == width
    assert found["scrollWidth"] <= found["clientWidth"]
    assert found["outside"] == []
    is_dark = sum(map(int, re.findall(r"\d+", found["background"])[:3])) < 3 * 128
    assert is_dark == (scheme == DARK)
    assert found["contrast"] >= 4.5
    assert found["focused"] == found["focusable"]
    assert found["unnamed"] == 0
    assert found["smallestText"] >= 7
