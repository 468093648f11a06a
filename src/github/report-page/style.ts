/** Of the report page: readable on a phone, and in the dark where the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --soft: #f6f8fa; --line: #d1d9e0; --link: #0969da;
  --quiet: #59636e; --done: #2da44e; --cached: #8c959f; --failed: #cf222e; --running: #bf8700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #161b22; --line: #3d444d;
  --link: #4493f8; --quiet: #9198a1; --done: #3fb950; --cached: #6e7681; --failed: #f85149; --running: #d29922; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1000px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; line-height: 1.25; margin: 0 0 12px; }
h2 { font-size: 1.2em; margin: 28px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--line); }
h3, h4, h5, h6 { font-size: 1em; margin: 16px 0 8px; }
p, ul, pre, details, .wide, svg { margin: 0 0 14px; }
a { color: var(--link); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: max-content; }
th, td { border: 1px solid var(--line); padding: 5px 10px; text-align: left; vertical-align: top; max-width: 60ch; }
@media (max-width: 600px) { th, td { padding: 4px 6px; font-size: 13px; max-width: 36ch; } }
thead th { background: var(--soft); }
code, pre { font: 85%/1.45 ui-monospace, SFMono-Regular, Consolas, monospace; }
code { background: var(--soft); border-radius: 5px; padding: .15em .35em; white-space: pre-wrap; }
pre { background: var(--soft); border-radius: 6px; padding: 12px; overflow-x: auto; overflow-wrap: normal; }
summary { cursor: pointer; margin-bottom: 8px; }
li[data-mark] { list-style: none; }
li[data-mark]::before { content: attr(data-mark) " "; }
.depth1 { margin-left: 1.5em; } .depth2 { margin-left: 3em; } .depth3 { margin-left: 4.5em; }
.depth4 { margin-left: 6em; } .depth5 { margin-left: 7.5em; }
figure { margin: 0 0 24px; }
figcaption { font-weight: 600; margin-bottom: 8px; }
figure img { max-width: 100%; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
iframe { width: 100%; height: 480px; resize: vertical; background: #fff; color-scheme: light;
  border: 1px solid var(--line); border-radius: 6px; }
.timeline text { fill: var(--ink); font-size: 13px; }
.timeline .track { fill: var(--soft); }
.done { fill: var(--done); } .cached { fill: var(--cached); } .failed { fill: var(--failed); }
.running { fill: var(--running); } .other { fill: var(--quiet); }
footer { margin-top: 32px; color: var(--quiet); font-size: 13px; }
`
