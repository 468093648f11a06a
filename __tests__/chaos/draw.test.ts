import { expect, test } from '@jest/globals'
import { drawCase, PARTS, type Case } from '../../chaos/draw.ts'
import { inputsOf, variablesOf } from '../../chaos/inputs.ts'
import { ServerUnderTest } from '../../chaos/server-under-test.ts'
import { startSimulator } from '../../simulator/index.ts'
import { readFile } from '../../src/github/workflow/files.ts'
import { readInputs } from '../../src/github/inputs/read.ts'
import { parseServerUrl } from '../../src/zenml/server-url.ts'

function draw(seed: number, count: number): Case[] {
  return PARTS.flatMap((part) => Array.from({ length: count }, (_, index) => drawCase(seed, part, index)))
}

test('the same seed draws the same cases, and another seed others', () => {
  expect(draw(771, 300)).toEqual(draw(771, 300))
  expect(draw(771, 300)).not.toEqual(draw(772, 300))
})

test('the action takes the inputs of every case that is drawn', async () => {
  const simulator = await startSimulator()
  try {
    for (const drawn of draw(771, 500)) {
      const env = variablesOf(inputsOf(drawn, new ServerUnderTest(drawn, simulator)))
      const { inputs } = await readInputs({ env, readFile, mask: () => undefined, parseServerUrl })
      expect(inputs).toMatchObject({ wait: drawn.wait, dryRun: drawn.dryRun, onCancel: drawn.onCancel })
      if (!drawn.wait) continue
      expect(inputs.timeoutMs).toBe(drawn.timeoutMs)
      expect(inputs.onTimeout).toBe(drawn.onTimeout)
    }
  } finally {
    await simulator.close()
  }
})

test('what a step can meet is drawn: each fault, each naming, wrong clocks, and runs that are left on purpose', () => {
  const drawn = draw(771, 2_000)
  const kinds = new Set(drawn.flatMap(({ faults }) => faults.map((fault) => fault.do.kind)))
  expect(kinds).toEqual(
    new Set([
      'about-another',
      'answer',
      'cut',
      'delay',
      'hang',
      'html',
      'no-slot',
      'redirect',
      'refuse',
      'reset',
      'slow-body',
      'too-busy',
      'too-busy-forever',
    ]),
  )
  expect(new Set(drawn.map(({ naming }) => naming)).size).toBe(5)
  const isLost = ({ wait, interruptions }: Case): boolean =>
    wait && interruptions.some((each) => each.kind === 'restart' && each.downSeconds > 600)
  for (const onLost of ['keep-running', 'stop'])
    expect(drawn.filter((each) => isLost(each) && each.onLost === onLost).length).toBeGreaterThan(5)
  for (const is of [
    ({ wait }: Case) => !wait,
    ({ dryRun }: Case) => dryRun,
    ({ replays }: Case) => replays,
    ({ onCancel }: Case) => onCancel === 'keep-running',
    ({ wait, onTimeout }: Case) => wait && onTimeout === 'keep-running',
    ({ part, wait, onTimeout }: Case) => part === 'A' && wait && onTimeout === 'hand-over',
    ({ part, wait, onTimeout }: Case) => part === 'B' && wait && onTimeout === 'hand-over',
    ({ clocks }: Case) => clocks.runner.aheadMs !== 0,
    ({ clocks }: Case) => clocks.runner.jump !== undefined,
    ({ clocks }: Case) => clocks.server.jump !== undefined,
  ]) {
    expect(drawn.filter(is).length).toBeGreaterThan(50)
  }
})
