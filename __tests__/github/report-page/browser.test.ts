import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, jest, test } from '@jest/globals'
import { findChromium, openPage } from '../../../docs/pictures/chromium.ts'
import { reportPage } from '../../../src/github/report-page/page.ts'
import type { Visualization } from '../../../src/run/facts.ts'
import { recordOf } from '../records.ts'

/* What a browser makes of a hostile report page. Skipped where there is none: install Chromium, or set CHROMIUM. */

jest.setTimeout(120_000)

function hasChromium(): boolean {
  try {
    return existsSync(findChromium())
  } catch {
    return false
  }
}

const inBrowser = hasChromium() ? test : test.skip

/** Takes over what it can reach, and tells the host how far it came. */
const script = (host: string): string =>
  `try{parent.document.title='owned'}catch{};try{top.location='${host}/top'}catch{};` +
  `try{localStorage.x=document.cookie='x=1'}catch{};try{open('${host}/open')}catch{};` +
  `try{fetch('${host}/fetch')}catch{};new Image().src='${host}/script';parent.postMessage('owned','*')`

/** Each of them makes a browser ask the host for something, or run a script, if it is let. */
const attempts = (host: string): string[] => [
  `<img src="${host}/img"><img srcset="${host}/srcset 1x"><input type=image src="${host}/input">`,
  `<link rel=stylesheet href="${host}/link"><link rel=preload as=image href="${host}/preload">`,
  `<link rel=prefetch href="${host}/prefetch"><link rel=preconnect href="${host}"><link rel=icon href="${host}/icon">`,
  `<style>@import "${host}/import"; body { background: url(${host}/css) } @font-face { font-family: x; src: url(${host}/font) } p { font-family: x }</style><p>text</p>`,
  `<meta http-equiv=refresh content="0;url=${host}/refresh">`,
  `<base href="${host}/base/"><img src=relative>`,
  `<video src="${host}/video" poster="${host}/poster" autoplay muted></video><audio src="${host}/audio" autoplay></audio>`,
  `<svg width=9 height=9><image href="${host}/image"/><use href="${host}/use#x"/></svg>`,
  `<img src=x onerror="${script(host)}"><body onload="${script(host)}"><svg onload="${script(host)}"></svg>`,
  `<details open ontoggle="${script(host)}">x</details><style>@keyframes k{}</style><b style="animation:k 1s" onanimationstart="${script(host)}">x</b>`,
  `<form action="${host}/form"><input autofocus onfocus="this.form.submit()"></form>`,
  `"></iframe><img src=x onerror="${script(host)}">`,
]

const svg = (host: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="${script(host)}"><script>${script(host)}</script>` +
  `<image href="${host}/svg" width="9" height="9"/><style>@import "${host}/svg-css";</style></svg>`

/** Opens a page that knows a host, and gives what the host was asked for and how the page looks afterwards. */
async function open(
  page: (host: string) => string,
): Promise<{ asked: string[]; connections: number; dom: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'report-'))
  const asked: string[] = []
  let connections = 0
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('access-control-allow-origin', '*').end('x')
  }).on('connection', () => (connections += 1))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const file = path.join(folder, 'report.html')
    await writeFile(file, page(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
    const dom = await openPage(pathToFileURL(file).href)
    return { asked, connections, dom }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  }
}

inBrowser('unguarded, the same HTML asks the host for nearly everything, and runs scripts', async () => {
  const { asked } = await open((host) =>
    attempts(host)
      .filter((html) => !/refresh|video|form/.test(html))
      .join('\n')
      // The page would be gone.
      .replaceAll(/try\{(?:top|open)[^}]*\}catch\{\};/g, ''),
  )
  expect(asked).toEqual(expect.arrayContaining(['/img', '/link', '/import', '/css', '/image', '/script']))
})

inBrowser('on the page it reaches no host, runs no script, and leaves the page as it is', async () => {
  const { asked, connections, dom } = await open((host) => {
    const shown = [
      ...attempts(host).map((value): Visualization => ({ name: value, type: 'html', value })),
      ...attempts(host).map((value): Visualization => ({ name: value, type: 'markdown', value })),
      ...attempts(host).map((value): Visualization => ({ name: value, type: 'csv', value })),
      { name: 'svg', type: 'image', value: Buffer.from(svg(host)).toString('base64') } as const,
    ]
    const record = recordOf({ runName: attempts(host)[8], gallery: { shown, missing: attempts(host) } })
    // Not lazily, as nobody scrolls here.
    return [...reportPage(record, { redact: (text) => text })].join('').replaceAll('loading="lazy"', '')
  })
  expect({ asked, connections }).toEqual({ asked: [], connections: 0 })
  expect(dom).not.toContain('<title>owned')
  expect(dom.match(/<iframe /g)).toHaveLength(12)
  expect(dom).toContain('<footer>')
})

inBrowser('HTML that is only text and styles is shown in its frame', async () => {
  const shown: Visualization[] = [
    {
      name: 'page',
      type: 'html',
      value:
        '<style>p { color: red }</style><p>shown</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    },
  ]
  const { dom } = await open(() =>
    [...reportPage(recordOf({ gallery: { shown, missing: [] } }), { redact: (text) => text })].join(''),
  )
  expect(dom).toContain('<iframe sandbox="" loading="lazy"')
})
