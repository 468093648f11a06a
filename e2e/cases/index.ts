import type { Case } from '../scene.ts'
import { CONTRACT } from './contract.ts'
import { FINDING } from './finding.ts'
import { OUTCOME } from './outcome.ts'
import { PARAMETERS } from './parameters.ts'
import { SEEING } from './seeing.ts'
import { STOPPING } from './stopping.ts'
import { SUB_ACTIONS } from './sub-actions.ts'
import { TRIGGER } from './trigger.ts'
import { WORKFLOW } from './workflow.ts'

/** Cases with an environment of their own come last, so that the server is seldom restarted. */
export const CASES: readonly Case[] = [
  ...OUTCOME,
  ...FINDING,
  ...PARAMETERS,
  ...SEEING,
  ...SUB_ACTIONS,
  ...WORKFLOW,
  ...CONTRACT,
  ...STOPPING,
  ...TRIGGER,
]
