import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { ControlPlane } from './control-plane.ts'
import { lastLines, track } from './processes.ts'
import { labelOf, type Target } from './target.ts'
import { CACHE, zenmlPython } from './tools.ts'

/** Variables for the server: ZENML_SERVER_*, E2E_SLOW_*; undefined takes a default of ours away. */
export type ServerEnvironment = Readonly<Record<string, string | undefined>>

/** One JSON line of zenml/serve.py. */
const Announcement = z
  .looseObject({
    'server-url': z.string(),
    'api-key': z.string(),
    version: z.string(),
    project: z.string(),
    pid: z.int(),
  })
  .catchall(z.union([z.string(), z.int()]))
export type Announcement = z.infer<typeof Announcement>

const SCRIPTS = path.join(import.meta.dirname, 'zenml')

/** Tokens outlive a restart, as on a server that is set up with care; a case may take it away. */
const DEFAULTS = {
  ZENML_SERVER_JWT_SECRET_KEY: 'end-to-end-tests-only',
  ZENML_SERVER_MAX_CONCURRENT_SNAPSHOT_RUNS: '8',
  ZENML_SERVER_MAX_CONCURRENT_TEMPLATE_RUNS: '8',
}

/** A port that is free now; taken again a moment later by the server. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // The whole group has ended already.
  }
}

/** Where a server's folder, its port and its parts are. */
interface Place {
  readonly directory: string
  readonly port: number
  /** A seeded folder to copy; made by the first server of its kind. */
  readonly template: string
  readonly controlPlane: ControlPlane | undefined
}

/** A real ZenML server with its own folder and port, which both outlive a restart. */
export class ZenServer {
  readonly target: Target
  readonly #place: Place
  readonly #groups: number[] = []
  #environment: ServerEnvironment
  #child: ChildProcess | undefined
  #announcement: Announcement | undefined

  constructor(target: Target, place: Place, environment: ServerEnvironment) {
    this.target = target
    this.#place = place
    this.#environment = environment
  }

  /** Its database, server.log, and a log of each run (runs/<id>/run.log). */
  get directory(): string {
    return this.#place.directory
  }

  /** What stands in for ZenML Pro; only in Pro's mode. */
  get controlPlane(): ControlPlane {
    const { controlPlane } = this.#place
    if (controlPlane === undefined) throw new Error(`${labelOf(this.target)} has no control plane`)
    return controlPlane
  }

  /** What serve.py printed, which is also what the contract suite wants to know of a server. */
  get announcement(): Announcement {
    if (this.#announcement === undefined) throw new Error('the server has not been started')
    return this.#announcement
  }

  get url(): string {
    return this.announcement['server-url']
  }

  /** Where a person looks at runs: a server in Pro's mode names the control plane's dashboard. */
  get dashboard(): string {
    return this.target.mode === 'pro' ? this.controlPlane.url : this.url
  }

  get apiKey(): string {
    return this.announcement['api-key']
  }

  /** Process id of the server itself. */
  get pid(): number {
    return this.announcement.pid
  }

  /** False once it was killed or has ended by itself. */
  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The variables it was last started with. */
  get environment(): ServerEnvironment {
    return this.#environment
  }

  /** What serve.py said under a name: the id of `training-template`, or `client-id`. */
  fact(name: string): string {
    const fact = this.announcement[name]
    if (typeof fact !== 'string') throw new Error(`${labelOf(this.target)} has no ${name}`)
    return fact
  }

  /** The server's log of all its lives. */
  async log(): Promise<string> {
    return readFile(path.join(this.directory, 'server.log'), 'utf8')
  }

  /** Starts the server; seeds it the first time. Resolves when it answers. */
  async start(): Promise<void> {
    const python = await zenmlPython(this.target.version)
    const { PATH, HOME, TMPDIR } = process.env
    const child = track(
      spawn(python, [path.join(SCRIPTS, 'serve.py'), ...this.#arguments()], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { PATH, HOME, TMPDIR, ...DEFAULTS, ...this.#environment },
      }),
    )
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    const ended = once(child, 'close').then(() => undefined)
    const line = await Promise.race([once(lines, 'line').then(([text]: unknown[]) => String(text)), ended])
    if (line === undefined) {
      throw new Error(`ZenML ${labelOf(this.target)} did not start:\n${lastLines(stderr, 20)}`)
    }
    this.#announcement = Announcement.parse(JSON.parse(line))
    this.#groups.push(this.pid)
  }

  #arguments(): string[] {
    const { directory, port, template, controlPlane } = this.#place
    const pro = controlPlane === undefined ? [] : ['--pro', '--control-plane', controlPlane.url]
    return [
      ...['--dir', directory, '--port', String(port), '--template', template],
      ...['--project', this.target.project, ...pro],
    ]
  }

  /** Kills the server as a crash would; pipelines that it started go on. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL')
    if (this.#child !== undefined && this.running) await once(this.#child, 'exit')
  }

  /** Starts the server again on the same folder and port, killing it first if it still runs. */
  async restart(environment: ServerEnvironment = this.#environment): Promise<void> {
    if (this.running) await this.kill()
    this.#environment = environment
    await this.start()
  }

  /** Resolves as soon as the log holds `text` behind its first `from` characters. */
  async logged(text: string, from: number, within = 60_000): Promise<void> {
    const end = Date.now() + within
    while (!(await this.log()).slice(from).includes(text)) {
      if (Date.now() > end) throw new Error(`the server's log did not say "${text}" in ${within} ms`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Ends the server and all its pipelines, and removes its folder unless someone wants to look at it. */
  async stop(keep = false): Promise<void> {
    if (this.#child !== undefined && this.running) {
      this.#child.kill('SIGTERM')
      await once(this.#child, 'exit')
    }
    for (const leader of this.#groups) signalGroup(leader, 'SIGKILL')
    await this.#place.controlPlane?.stop()
    if (!keep) await rm(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Changes with the scripts that seed a server, so that no folder that other scripts seeded is used. */
async function templateName(target: Target): Promise<string> {
  const hash = createHash('sha256')
  for (const file of (await readdir(SCRIPTS)).filter((name) => name.endsWith('.py')).sort()) {
    hash.update(await readFile(path.join(SCRIPTS, file)))
  }
  return `${labelOf(target).replaceAll(' ', '-')}-${hash.digest('hex').slice(0, 8)}`
}

/** Starts a seeded server of that kind on a free port of 127.0.0.1. */
export async function startServer(target: Target, environment: ServerEnvironment = {}): Promise<ZenServer> {
  const base = path.join(CACHE, 'servers')
  const seeded = path.join(CACHE, 'seeded')
  for (const folder of [base, seeded]) await mkdir(folder, { recursive: true })
  const port = await freePort()
  const place: Place = {
    directory: await mkdtemp(path.join(base, `${target.version}-`)),
    port,
    template: path.join(seeded, await templateName(target)),
    controlPlane:
      target.mode === 'open-source'
        ? undefined
        : await ControlPlane.start(
            await zenmlPython(target.version),
            await freePort(),
            `http://127.0.0.1:${port}`,
          ),
  }
  const server = new ZenServer(target, place, environment)
  try {
    await server.start()
  } catch (error) {
    // The error names the log in the folder.
    await server.stop(true)
    throw error
  }
  return server
}
