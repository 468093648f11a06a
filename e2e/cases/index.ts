import type { Case } from '../scene.ts'
import { BASELINE_CASES } from './baseline.ts'
import { CONTRACT } from './contract.ts'
import { FINDING } from './finding.ts'
import { GUIDE } from './guide.ts'
import { LIVE_LOGS } from './live-logs.ts'
import { OUTCOME } from './outcome.ts'
import { PARAMETERS } from './parameters.ts'
import { PAUSE } from './pause.ts'
import { PERMISSIONS } from './permissions.ts'
import { PRO } from './pro.ts'
import { PROMOTE } from './promote.ts'
import { PROJECTS } from './projects.ts'
import { REPLAY } from './replay.ts'
import { SEEING } from './seeing.ts'
import { STOPPING } from './stopping.ts'
import { SUB_ACTIONS } from './sub-actions.ts'
import { SWEEP } from './sweep.ts'
import { TRIGGER } from './trigger.ts'
import { WORKFLOW } from './workflow.ts'

const ALL: readonly Case[] = [
  ...OUTCOME,
  ...FINDING,
  ...PARAMETERS,
  ...SEEING,
  ...LIVE_LOGS,
  ...BASELINE_CASES,
  ...PROJECTS,
  ...PERMISSIONS,
  ...PRO,
  ...GUIDE,
  ...PAUSE,
  ...REPLAY,
  ...SUB_ACTIONS,
  ...SWEEP,
  ...PROMOTE,
  ...WORKFLOW,
  ...CONTRACT,
  ...STOPPING,
  ...TRIGGER,
]

/** Cases with an environment of their own come last, so that the server is seldom restarted. */
export const CASES: readonly Case[] = [
  ...ALL.filter(({ environment }) => environment === undefined),
  ...ALL.filter(({ environment }) => environment !== undefined),
]
