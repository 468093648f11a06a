/*
 * Asks real servers about every configuration of the table in the tests, and writes down what they answer:
 *
 *   python e2e/zenml/serve.py --dir FOLDER --port PORT | tee FOLDER.json
 *   npx tsx e2e/record-configurations.ts FOLDER.json [regular expression of the titles to ask]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { configurations, type WrittenConfiguration } from '../__tests__/run/configure/check/configurations.ts'
import { openClient } from '../src/actions/open-client.ts'
import { WorkflowLog } from '../src/github/log/workflow-log.ts'
import { completeFor } from '../src/run/configure/older-servers.ts'
import { Api } from '../src/zenml/api.ts'
import type { ZenmlClient } from '../src/zenml/client.ts'
import { Http } from '../src/http/http.ts'
import { systemClock } from '../src/base/system-clock.ts'

const RECORD = new URL('../__tests__/run/configure/check/recorded-configurations.json', import.meta.url)

/** A server starts two runs at once by default; more would only slow each other down. */
const AT_ONCE = 2
const LONGEST_RUN_MS = 180_000

const Seeded = z.looseObject({ 'server-url': z.string(), 'api-key': z.string(), version: z.string() })
const Facts = z.object({
  /** HTTP status of the answer to the trigger. */
  status: z.number(),
  /** The server's words for a refusal. */
  refusal: z.string().optional(),
  /** How the run ended; absent where none was started. */
  end: z.string().optional(),
  /** What the step printed of its parameters. */
  printed: z.string().optional(),
  /** The exception that ended the run. */
  exception: z.string().optional(),
})
const Record = z.record(z.string(), z.record(z.string(), Facts))
type Recorded = z.infer<typeof Facts>

const Exception = z.object({
  metadata: z
    .object({
      exception_info: z.object({ message: z.string().nullish(), traceback: z.string().nullish() }).nullish(),
    })
    .nullish(),
})

class Server {
  readonly #seeded: z.infer<typeof Seeded>
  readonly #api: Api
  readonly #client: ZenmlClient

  private constructor(seeded: z.infer<typeof Seeded>, api: Api, client: ZenmlClient) {
    this.#seeded = seeded
    this.#api = api
    this.#client = client
  }

  static async open(seeded: z.infer<typeof Seeded>, http: Http): Promise<Server> {
    const url = seeded['server-url']
    const { client, session } = await openClient({
      inputs: {
        server: { url, proApiUrl: url },
        credential: { kind: 'api-key', key: seeded['api-key'] },
      },
      http,
      clock: systemClock,
      log: new WorkflowLog(() => undefined),
      reporter: { tell: () => undefined },
    })
    // For what no client asks.
    const raw = { http, baseUrl: client.serverUrl, session, clock: systemClock, onRetry: () => undefined }
    return new Server(seeded, new Api(raw), client)
  }

  get version(): string {
    return this.#seeded.version
  }

  has({ pipeline }: WrittenConfiguration): boolean {
    return this.#id(pipeline) !== undefined
  }

  async ask({ pipeline, body }: WrittenConfiguration): Promise<Recorded> {
    const definition = await this.#client.definition('template', this.#id(pipeline) ?? '')
    const json = completeFor(this.version, definition, body)
    for (;;) {
      const answer = await this.#api.exchange({
        method: 'POST',
        path: `/run_templates/${definition.id}/runs`,
        json,
      })
      if (answer.status === 429) await delay(1_000)
      else if (answer.status === 200)
        return {
          status: 200,
          ...(await this.#endOf(z.object({ id: z.string() }).parse(JSON.parse(answer.body)).id)),
        }
      else return { status: answer.status, refusal: refusalIn(answer.body) }
    }
  }

  async #endOf(runId: string): Promise<Omit<Recorded, 'status'>> {
    let end = ''
    for (const until = Date.now() + LONGEST_RUN_MS; Date.now() < until;) {
      end = (await this.#client.run(runId, { hydrate: false })).status
      if (['completed', 'failed', 'stopped', 'cached'].includes(end)) break
      await delay(1_000)
    }
    return end === 'failed'
      ? { end, ...(await this.#exceptionOf(runId)) }
      : { end, ...(await this.#printedBy(runId)) }
  }

  async #stepIds(runId: string): Promise<string[]> {
    const page = z.object({ items: z.array(z.object({ id: z.string() })) })
    return (await this.#read(`/runs/${runId}/steps`, page)).items.map(({ id }) => id)
  }

  async #exceptionOf(runId: string): Promise<Pick<Recorded, 'exception'>> {
    const paths = [`/runs/${runId}`, ...(await this.#stepIds(runId)).map((id) => `/steps/${id}`)]
    for (const path of paths) {
      const { metadata } = await this.#read(path, Exception)
      const exception = metadata?.exception_info?.message ?? metadata?.exception_info?.traceback
      if (exception != null) return { exception: lastLine(exception) }
    }
    return {}
  }

  async #printedBy(runId: string): Promise<Pick<Recorded, 'printed'>> {
    const [first] = await this.#stepIds(runId)
    if (first === undefined) return {}
    const answer = await this.#api.exchange({
      method: 'GET',
      path: `/steps/${first}/logs`,
      query: { source: 'step' },
    })
    const printed = /typed \d[^"\\]*/.exec(answer.body)?.[0]
    return printed === undefined ? {} : { printed: printed.slice(0, 300) }
  }

  async #read<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
    return this.#api.read(`read ${path}`, { path, query: { hydrate: 'true' } }, schema)
  }

  #id(pipeline: string): string | undefined {
    const id = this.#seeded[`${pipeline}-template`]
    return typeof id === 'string' ? id : undefined
  }
}

/** Of a traceback, which can be cut off, what names the exception. */
function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').trim().slice(0, 300)
}

/** Without the place in the server's own files, which newer servers add. */
function refusalIn(body: string): string {
  return body
    .replace(/(?:\\n|\s)*File \\?".*$/s, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300)
}

function readRecord(): z.infer<typeof Record> {
  return existsSync(RECORD) ? Record.parse(JSON.parse(readFileSync(RECORD, 'utf8'))) : {}
}

/** Read anew before each writing, so that two servers can be asked one after the other or side by side. */
function note(version: string, title: string, facts: Recorded): void {
  const record = readRecord()
  const ofVersion = { ...record[version], [title]: facts }
  const inOrder = configurations.flatMap((row) => {
    const known = ofVersion[row.title]
    return known === undefined ? [] : [[row.title, known] as const]
  })
  writeFileSync(RECORD, `${JSON.stringify({ ...record, [version]: Object.fromEntries(inOrder) }, null, 2)}\n`)
}

const [file = '', titles = ''] = process.argv.slice(2)
const http = new Http('record-configurations')
const server = await Server.open(Seeded.parse(JSON.parse(readFileSync(file, 'utf8'))), http)
const waiting = configurations.filter(
  (row) =>
    server.has(row) &&
    (titles === ''
      ? readRecord()[server.version]?.[row.title] === undefined
      : new RegExp(titles).test(row.title)),
)
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const facts = await server.ask(row)
      note(server.version, row.title, facts)
      console.log(`${server.version}, ${row.title}: ${facts.status} ${facts.end ?? ''}`)
    }
  }),
)
http.close()
