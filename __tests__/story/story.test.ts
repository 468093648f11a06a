import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { RunnerFiles } from '../hostile/workflow-step.ts'
import { play } from './play.ts'
import { stories } from './stories.ts'

let files: RunnerFiles
beforeAll(() => {
  files = new RunnerFiles()
})
afterAll(() => {
  files.remove()
})

const folder = fileURLToPath(new URL('../golden/runs/', import.meta.url))

test.each(stories)(
  '$name: log, summary and comments are as in the golden files (npm run test:golden)',
  async (story) => {
    const { log, summary, comments } = await play(story, files)
    const written: Readonly<Record<string, string>> = {
      'log.txt': log,
      'summary.md': summary,
      ...Object.fromEntries(comments.map((body, index) => [`comment-${index + 1}.md`, body])),
    }
    for (const [name, text] of Object.entries(written)) {
      const file = `${folder}${story.name}/${name}`
      if (process.env['UPDATE_GOLDEN'] === '1') {
        mkdirSync(`${folder}${story.name}`, { recursive: true })
        writeFileSync(file, text)
      }
      expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
    }
  },
)
