import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
]

/** Time of the page's own clock in which its charts must be drawn. */
const BUDGET_MS = 15_000

/** Of real time, for a browser that does not come to an end. */
const MOST_MS = 60_000

/**
 * The browser's program: what CHROMIUM names, or where it mostly is.
 *
 * @throws {Error} that says what to install
 */
export function findChromium(): string {
  const named = process.env['CHROMIUM']
  const found = named ?? PLACES.find((place) => existsSync(place))
  if (found === undefined || !existsSync(found)) {
    const tried =
      named === undefined ? 'no Chromium was found' : `CHROMIUM is ${named}, and no such file is there`
    throw new Error(
      `A browser makes the images, and ${tried}. Install Chromium, or set CHROMIUM to a Chrome.`,
    )
  }
  return found
}

/** The page as it is once it has done what it does, as HTML. */
export async function openPage(url: string): Promise<string> {
  return run(['--window-size=1000,1000', '--dump-dom', url])
}

/** Takes a picture of a whole page, however high it is. */
export async function takePicture(page: string, picture: string, width: number): Promise<void> {
  const url = `file://${page}`
  const dom = await run([`--window-size=${width},1000`, '--dump-dom', url])
  const height = /data-height="(\d+)"/.exec(dom)?.[1]
  if (height === undefined) throw new Error(`${page} was not drawn within ${BUDGET_MS} ms.`)
  await run([`--window-size=${width},${height}`, `--screenshot=${picture}`, url])
}

/** The same of a page that runs no scripts, and so cannot tell how high it is. */
export async function takePictureOf(
  page: string,
  picture: string,
  { width, height, dark }: { readonly width: number; readonly height: number; readonly dark: boolean },
): Promise<void> {
  const scheme = dark ? ['--blink-settings=preferredColorScheme=0'] : []
  await run([...scheme, `--window-size=${width},${height}`, `--screenshot=${picture}`, `file://${page}`])
}

async function run(args: readonly string[]): Promise<string> {
  const profile = await mkdtemp(path.join(tmpdir(), 'pictures-'))
  try {
    const options = [...QUIET, `--user-data-dir=${profile}`, `--virtual-time-budget=${BUDGET_MS}`]
    const browser = spawn(findChromium(), [...options, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: MOST_MS,
      killSignal: 'SIGKILL',
    })
    const code = new Promise<number | null>((resolve, reject) => {
      browser.once('close', resolve)
      browser.once('error', reject)
    })
    const printed = await text(browser.stdout)
    if ((await code) !== 0) throw new Error(`Chromium ended with ${await code}.`)
    return printed
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
