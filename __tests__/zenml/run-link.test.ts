import { expect, test } from '@jest/globals'
import { runUrl } from '../../src/zenml/run-link.ts'

const BASE = 'https://zenml.example.com/prefix'
const PROJECT = { id: 'p-1', name: 'my project' }

function openSource(version: string) {
  return { version, isPro: false, dashboardUrl: undefined, proApiUrl: undefined, hasProjects: true }
}

function pro(dashboardUrl: string | undefined, version = '0.98.0') {
  return { version, isPro: true, dashboardUrl, proApiUrl: undefined, hasProjects: true }
}

test.each([
  ['0.98.0', `${BASE}/projects/my%20project/runs/r-1`],
  ['0.82.0', `${BASE}/projects/my%20project/runs/r-1`],
  ['0.81.0', `${BASE}/runs/r-1`],
  ['0.74.0', `${BASE}/runs/r-1`],
])('on an open-source server %s a run is looked at under %s', (version, expected) => {
  expect(runUrl(BASE, openSource(version), 'r-1', PROJECT)).toBe(expected)
})

test('an old server needs no project for a link, a new one does', () => {
  expect(runUrl(BASE, openSource('0.74.0'), 'r-1', undefined)).toBe(`${BASE}/runs/r-1`)
  expect(runUrl(BASE, openSource('0.98.0'), 'r-1', undefined)).toBeUndefined()
  expect(runUrl(BASE, openSource('0.98.0'), 'r-1', { id: 'p-1', name: undefined })).toBeUndefined()
})

test.each(['https://cloud.zenml.io/workspaces/w', 'https://cloud.zenml.io/workspaces/w/'])(
  "on Pro the link is below the dashboard's address %s, by the project's id",
  (dashboard) => {
    expect(runUrl(BASE, pro(dashboard), 'r-1', PROJECT)).toBe(
      'https://cloud.zenml.io/workspaces/w/projects/p-1/runs/r-1',
    )
    expect(runUrl(BASE, pro(dashboard), 'r-1', undefined)).toBeUndefined()
  },
)

test('an old Pro, which has no projects, has its runs right below the dashboard of the tenant', () => {
  const dashboard = 'https://cloud.zenml.io/organizations/o/tenants/t'
  expect(runUrl(BASE, pro(dashboard, '0.74.0'), 'r-1', PROJECT)).toBe(`${dashboard}/runs/r-1`)
  expect(runUrl(BASE, pro(dashboard, '0.75.0'), 'r-1', undefined)).toBe(`${dashboard}/runs/r-1`)
  expect(runUrl(BASE, pro(dashboard, '0.80.0'), 'r-1', PROJECT)).toBe(`${dashboard}/projects/p-1/runs/r-1`)
})

test.each([
  undefined,
  '',
  'not an address',
  'javascript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'https://us:pw@cloud.zenml.io/',
])('a dashboard address "%s" becomes no link', (dashboard) => {
  expect(runUrl(BASE, pro(dashboard), 'r-1', PROJECT)).toBeUndefined()
})

test('an id or a name of a hostile server cannot leave its place in the path', () => {
  const url = runUrl(BASE, openSource('0.98.0'), '../x?y#z', { id: 'p', name: 'a/../b\n::error::' })
  expect(url).toBe(`${BASE}/projects/a%2F..%2Fb%0A%3A%3Aerror%3A%3A/runs/..%2Fx%3Fy%23z`)
})
