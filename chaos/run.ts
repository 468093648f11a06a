import { runCommand } from '../scripts/command-line.ts'
import { drawCase, type Case, type Part } from './draw.ts'
import type { Observation } from './ending.ts'
import { playInProcess } from './in-process.ts'
import { Story } from './story.ts'
import { Tally } from './tally.ts'
import { throughDist } from './through-dist.ts'
import { judge, type Finding } from './verdict.ts'

const DEFAULTS = {
  seed: '1',
  cases: '2000',
  'dist-cases': '200',
  'sweep-cases': '100',
  'sweep-dist-cases': '20',
  node: process.execPath,
} as const

const USAGE = `Plays random faults, signals and restarts against the action, and holds what it says against what the
server holds: never a second run, never a run that goes on unsaid, never a wrong result.

  npm run chaos -- [--seed N] [--cases N] [--dist-cases N] [--sweep-cases N] [--sweep-dist-cases N] [--node PATH]
                   [--only ID]

  --seed             of all draws; the same seed gives the same cases; default ${DEFAULTS.seed}
  --cases            part A, in this process and in virtual time; default ${DEFAULTS.cases}
  --dist-cases       part B, through dist as child processes; default ${DEFAULTS['dist-cases']}
  --sweep-cases      part S, sweeps of up to 16 cells, as part A; default ${DEFAULTS['sweep-cases']}
  --sweep-dist-cases part T, sweeps of up to 16 cells, as part B; default ${DEFAULTS['sweep-dist-cases']}
  --node             the Node that runs dist in parts B and T; default: this one
  --only             plays one case alone, such as A17, and prints its story
`

interface Plan {
  readonly part: Part
  readonly cases: number
  /** How many are played at once. */
  readonly atOnce: number
  readonly play: (drawn: Case, story: Story) => Promise<readonly Observation[]>
}

interface Played {
  /** One for each run that was wanted. */
  readonly seen: readonly Observation[]
  readonly findings: readonly Finding[]
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Promises that failed and that nobody waited for: in the action such a one ends the process with a stack. */
class Strays {
  readonly playing = new Set<string>()
  count = 0

  listen(): void {
    process.on('unhandledRejection', (error) => {
      this.count += 1
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      say(`unhandled rejection in one of ${[...this.playing].join(', ')}, or shortly before: ${text}`)
    })
  }
}

async function playOne({ play }: Plan, drawn: Case, story: Story): Promise<Played> {
  const seen = await play(drawn, story)
  return { seen, findings: seen.flatMap((one) => judge(drawn, one)) }
}

/** The case, what was seen, and what is wrong with it. */
function described(drawn: Case, { seen, findings }: Played): string {
  const facts = { case: drawn, seen: seen.map(withoutTexts) }
  return [
    JSON.stringify(facts, undefined, 1),
    ...findings.map(({ offence, text }) => `${offence}: ${text}`),
  ].join('\n')
}

function withoutTexts({ shown: _, secrets: __, vanished, ...rest }: Observation): object {
  return { ...rest, vanished: [...vanished] }
}

async function playAll(plan: Plan, seed: number, strays: Strays): Promise<Tally> {
  const { part, cases, atOnce } = plan
  const tally = new Tally(part)
  const began = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < cases) {
      const drawn = drawCase(seed, part, next++)
      const story = new Story()
      strays.playing.add(drawn.id)
      const played = await playOne(plan, drawn, story)
      strays.playing.delete(drawn.id)
      tally.add(drawn, played.seen, played.findings)
      if (played.findings.length > 0) await report(drawn, played, seed, story)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  for (const line of tally.lines((performance.now() - began) / 1000)) say(line)
  return tally
}

async function report(drawn: Case, played: Played, seed: number, story: Story): Promise<void> {
  const file = await story.keep(`${String(seed)}-${drawn.id}`, described(drawn, played))
  for (const { offence, text } of played.findings) say(`${drawn.id}: ${offence}: ${text}`)
  say(`    alone: npm run chaos -- --seed ${String(seed)} --only ${drawn.id}; its story: ${file}`)
}

async function playAlone(plans: readonly Plan[], seed: number, id: string, strays: Strays): Promise<number> {
  const [, part, index] = /^([ABST])(\d+)$/.exec(id) ?? []
  const plan = plans.find((each) => each.part === part)
  if (plan === undefined) throw new Error(`--only ${id}: a case is written like A17 or B5`)
  const drawn = drawCase(seed, plan.part, Number(index))
  const story = new Story()
  const played = await playOne(plan, drawn, story)
  say(`${story.text}\n${described(drawn, played)}`)
  const failed = played.findings.length > 0 || strays.count > 0
  say(failed ? 'The case failed' : 'The case held')
  return failed ? 1 : 0
}

async function main(flags: Readonly<Record<keyof typeof DEFAULTS, string>>, only?: string): Promise<number> {
  const seed = Number(flags.seed)
  const playDist = throughDist(flags.node)
  const plans: readonly Plan[] = [
    { part: 'A', cases: Number(flags.cases), atOnce: 8, play: playInProcess },
    { part: 'B', cases: Number(flags['dist-cases']), atOnce: 6, play: playDist },
    { part: 'S', cases: Number(flags['sweep-cases']), atOnce: 8, play: playInProcess },
    { part: 'T', cases: Number(flags['sweep-dist-cases']), atOnce: 6, play: playDist },
  ]
  const strays = new Strays()
  strays.listen()
  if (only !== undefined) return playAlone(plans, seed, only, strays)
  let failed = 0
  let cases = 0
  for (const plan of plans.filter((each) => each.cases > 0)) {
    const tally = await playAll(plan, seed, strays)
    failed += tally.failed
    cases += plan.cases
  }
  const bad = failed + strays.count
  const held = bad === 0 ? 'all of them held' : `${String(bad)} of them did not hold`
  say(`Chaos of seed ${String(seed)}: ${String(cases)} cases, and ${held}`)
  return bad === 0 ? 0 : 1
}

await runCommand(USAGE, DEFAULTS, main)
