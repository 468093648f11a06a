import { readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { projectFile } from './markdown.ts'

const FOLDER = '.github/ISSUE_TEMPLATE'

const Question = z.strictObject({
  type: z.enum(['input', 'textarea']),
  id: z.string().regex(/^[\w-]+$/),
  attributes: z.strictObject({
    label: z.string(),
    description: z.string().optional(),
    placeholder: z.string().optional(),
    render: z.enum(['yaml', 'text']).optional(),
  }),
  validations: z.strictObject({ required: z.boolean() }).optional(),
})
const Note = z.strictObject({
  type: z.literal('markdown'),
  attributes: z.strictObject({ value: z.string() }),
})
const Form = z.strictObject({
  name: z.string().min(3),
  description: z.string().min(3),
  labels: z.array(z.string()),
  body: z.array(z.union([Note, Question])),
})

const forms = readdirSync(path.join(import.meta.dirname, '../..', FOLDER)).filter(
  (name) => name !== 'config.yml',
)

test.each(forms)('%s is a form that GitHub shows; it leaves out a broken one without a word', (name) => {
  const { body } = Form.parse(parse(projectFile(`${FOLDER}/${name}`)))
  const questions = body.filter((part) => part.type !== 'markdown')
  expect(questions.some(({ validations }) => validations?.required === true)).toBe(true)
  expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length)
  expect(new Set(questions.map(({ attributes }) => attributes.label)).size).toBe(questions.length)
})

test('there is a form for a bug, a wish and a question', () => {
  expect(forms.sort()).toEqual(['bug_report.yml', 'feature_request.yml', 'question.yml'])
})
