import { afterAll, beforeAll, describe, jest } from '@jest/globals'
import { accessCases } from './access.ts'
import { failureCases } from './failure.ts'
import { findCases, snapshotCases } from './find.ts'
import { modelCases, modelPermissionCases } from './models.ts'
import { proCases } from './pro.ts'
import { replayCases } from './replay.ts'
import { retryCases } from './retry.ts'
import { scopeCases } from './scope.ts'
import { stopCases } from './stop.ts'
import { Fixture, targetSources } from './target.ts'
import { configurationCases, oneRunCases, snapshotTriggerCases } from './trigger.ts'
import { waitCases } from './wait.ts'
import { runCases } from './watch.ts'

// A run takes some ten seconds on a real server.
jest.setTimeout(180_000)

describe.each(targetSources())('$name', (source) => {
  let fixture: Fixture | undefined
  const open = (): Fixture => {
    if (fixture === undefined) throw new Error('The server is not there.')
    return fixture
  }
  beforeAll(async () => {
    fixture = await Fixture.open(source)
  })
  afterAll(() => fixture?.target.close())

  describe('access', () => {
    accessCases(open)
  })
  describe('find', () => {
    findCases(open)
  })
  describe('trigger', () => {
    configurationCases(open)
    oneRunCases(open)
  })
  describe('watch', () => {
    runCases(open)
    failureCases(open)
  })
  describe('stop', () => {
    stopCases(open)
  })
  describe('project scope', () => {
    scopeCases(open)
  })
  describe('retries', () => {
    retryCases(open)
  })
  describe('replay', () => {
    replayCases(open)
  })
  describe('models', () => {
    modelCases(open)
  })
  if (source.mode === 'pro') {
    describe('Pro', () => {
      proCases(open)
      modelPermissionCases(open)
    })
  }
  if (/^0\.9\d|^[1-9]/.test(source.version)) {
    describe('snapshots', () => {
      snapshotCases(open)
      snapshotTriggerCases(open)
    })
    describe('wait conditions', () => {
      waitCases(open)
    })
  }
})
