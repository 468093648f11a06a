import assert from 'node:assert/strict'
import type { ActionResult } from '../action.ts'
import { expectStep, type Case, type Scene } from '../scene.ts'
import { since } from '../target.ts'

const HEADING = /^Log of the step (?<step>\S+):$/
/** What the step prints; its name comes before it while others run, too. */
const LINE = /^│ (?:(?<step>\w+): )?line (?<number>\d+) at [\d.]+$/
const OVER = /^ +[\d:]+ {2}(?<step>\w+): completed in /

interface Talk {
  readonly result: ActionResult
  /** The numbers of the lines that were shown of each step. */
  readonly shown: ReadonlyMap<string, readonly number[]>
  /** How many of them were shown before the log said that a step was over. */
  readonly early: number
}

/** Runs a pipeline whose steps print numbered lines, and listens to its log. */
async function listen(scene: Scene, template: string, configuration: object): Promise<Talk> {
  const shown = new Map<string, number[]>()
  let step = ''
  let isOver = false
  let early = 0
  const running = await scene.start(
    { template, configuration: JSON.stringify(configuration), logs: 'live' },
    {
      onLine: (line) => {
        step = HEADING.exec(line)?.groups?.['step'] ?? step
        isOver ||= OVER.test(line)
        const { number, step: named } = LINE.exec(line)?.groups ?? {}
        if (number === undefined) return
        step = named ?? step
        shown.set(step, [...(shown.get(step) ?? []), Number(number)])
        if (!isOver) early += 1
      },
    },
  )
  const result = await running.done
  await scene.onlyRun(result)
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed' } })
  return { result, shown, early }
}

/** Each line once, and in order. */
function expectLines(numbers: readonly number[] = [], count: number): void {
  const wrong = numbers.findIndex((number, index) => number !== index + 1)
  assert.equal(wrong, -1, `line ${numbers[wrong]} is where line ${wrong + 1} should be`)
  assert.equal(numbers.length, count)
}

async function everyLine(scene: Scene): Promise<void> {
  const parameters = { lines: 2_000, seconds: 20 }
  const { shown, early } = await listen(scene, 'talking-template', { steps: { talk: { parameters } } })
  expectLines(shown.get('talk'), 2_000)
  assert.ok(early > 0, 'no line while the step ran')
}

async function twoAtOnce(scene: Scene): Promise<void> {
  const parameters = { lines: 900, seconds: 20 }
  const { shown, early } = await listen(scene, 'talking_at_once-template', { parameters })
  expectLines(shown.get('talk'), 900)
  expectLines(shown.get('talk_2'), 900)
  assert.ok(early > 0, 'no line while the steps ran')
}

async function tooMany(scene: Scene): Promise<void> {
  const parameters = { lines: 200_000, seconds: 20 }
  const { shown, result } = await listen(scene, 'talking-template', { steps: { talk: { parameters } } })
  const said = result.stdout.match(/^The log of the step talk is no longer followed: .*$/gm) ?? []
  const [why, ...more] = said
  assert.deepEqual(more, [])
  const numbers = shown.get('talk') ?? []
  expectLines(numbers, numbers.length)
  assert.ok(numbers.length <= 5_000, `${numbers.length} lines`)
  // Of a server that gives a log as one text without a limit, the first read may be too large already.
  if (why?.endsWith("Could not read the step's log: the answer is larger than 8 MB") === true) return
  assert.equal(
    why,
    'The log of the step talk is no longer followed: the limit of 5,000 lines per step is reached',
  )
  assert.ok(numbers.length > 1_000, `${numbers.length} lines`)
}

export const LIVE_LOGS: readonly Case[] = [
  { name: 'live logs: each of 2,000 lines once, in order', runs: 1, run: everyLine },
  { name: 'live logs of two steps at once', where: since('0.91'), runs: 1, run: twoAtOnce },
  { name: 'live logs of 200,000 lines', slow: true, runs: 1, run: tooMany },
]
