/* A simulated server with one pipeline whose artifacts show so many megabytes, in a process of its own. */
import { realClock, startSimulator, type VisualizationSpec } from '../simulator/index.ts'

const MEGABYTE = 1_000_000

/** The server's time runs faster than the clock on the wall. */
const SPEED = 20

const TYPES = ['markdown', 'csv', 'html', 'json', 'image'] as const

/** About a megabyte of each kind; of the largest form that it has on its way to the page. */
function visualization(type: (typeof TYPES)[number]): VisualizationSpec {
  const fill = (text: string): string => text.repeat(Math.floor(MEGABYTE / text.length))
  const values = {
    markdown: fill('| <b>größer</b> & "kleiner" | `x` |\n'),
    csv: fill('=1+1,<b>größer</b>,"a ""quoted"" cell"\n'),
    html: fill('<p title="x">größer & \'kleiner\'</p>\n'),
    json: JSON.stringify(Array.from({ length: MEGABYTE / 20 }, (_, index) => ({ value: index * 1_001 }))),
    image: Buffer.from(`<svg>${fill('<text>größer</text>')}</svg>`).toString('base64'),
  }
  return { type, value: values[type] }
}

const known = TYPES.map((type) => visualization(type))
const typed = (index: number): VisualizationSpec[] => known.slice(index % known.length).slice(0, 1)
const names = Array.from({ length: Number(process.argv[2]) }, (_, index) => `artifact_${index}`)
const step = {
  name: 'evaluate',
  seconds: 1,
  outputs: Object.fromEntries(names.map((name) => [name, 'builtins.str'])),
  visualizations: Object.fromEntries(names.map((name, index) => [name, typed(index)])),
}
const server = await startSimulator({
  clock: realClock(SPEED),
  pipelines: [{ name: 'bench', steps: [step] }],
})
process.on('message', () => {
  process.send?.({ requests: server.requests.length })
})
process.send?.({ url: server.url, apiKey: server.apiKey })
