"""The style of the page: light and dark, from phones to desktops, without network."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #55606b; --line: #c9d0d7;
  --tint: #f2f5f8; --link: #0b57b0; --mark: #9a3d00; --card: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e7ebef; --soft: #a9b4bf; --line: #3c4651;
    --tint: #1e242b; --link: #8ec1ff; --mark: #ffb27a; --card: #f4f4f1;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 0 1rem 3rem; max-width: 72rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1, h2, h3 { line-height: 1.25; margin: 2rem 0 .6rem; }
h1 { font-size: 1.7rem; margin-top: 1.5rem; }
h2 { font-size: 1.3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
h3 { font-size: 1.08rem; }
p, ul, dl { max-width: 46rem; margin: .6rem 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; color: var(--soft); }
a { color: var(--link); }
a, summary, .scroll { border-radius: 3px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem 1rem; }
.soft, caption, figcaption { color: var(--soft); }
.verdict {
  border-left: .3rem solid var(--mark); background: var(--tint);
  padding: .7rem 1rem; font-size: 1.1rem;
}
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; }
nav ul { padding: 0; max-width: none; }
nav a { display: inline-block; padding: .4rem 0; }
.scroll { overflow-x: auto; max-width: 100%; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; font-size: .95rem; overflow-wrap: normal; }
caption { text-align: left; padding: .2rem 0 .5rem; font-size: .92rem; }
caption, figcaption { max-width: 46rem; overflow-wrap: anywhere; }
caption { max-width: min(46rem, 100vw - 2rem); }
th, td {
  text-align: left; vertical-align: top; padding: .35rem .9rem .35rem .4rem;
  border-bottom: 1px solid var(--line);
}
thead th { border-bottom-width: 2px; white-space: nowrap; }
tbody th { font-weight: 600; }
th.number, td.number {
  text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;
}
.rows table { width: max-content; }
.rows td, .rows th { max-width: 16rem; overflow-wrap: anywhere; }
figure { margin: 1rem 0 1.6rem; }
.panels {
  display: grid; gap: .5rem; padding: .6rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 4px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
}
.panels:not(:has(> :nth-child(2))) { max-width: 40rem; }
.panels svg { display: block; width: 100%; max-width: 40rem; height: auto; }
.panels svg text { font-family: system-ui, sans-serif !important; }
figcaption { padding: .5rem 0; font-size: .95rem; }
pre {
  margin: 0; padding: 1rem; background: var(--tint); overflow-wrap: normal;
  font: .88rem/1.5 ui-monospace, monospace; width: max-content; min-width: 100%;
}
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .8rem; }
@media (max-width: 30rem) {
  th, td { padding-right: .5rem; }
}
@media print {
  nav, .skip { display: none; }
  .scroll { overflow: visible; }
  pre { white-space: pre-wrap; width: auto; }
}
"""
