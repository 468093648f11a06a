import type { Mutant } from './mutants.ts'

/** A mutant that no test can see or need see, and why. */
interface Apart {
  readonly file: string
  /** The text of the line where it begins: line numbers move. */
  readonly code: string
  readonly original: string
  readonly replacement: string
  readonly kind: 'changes nothing' | 'only words'
  readonly why: string
}

/** Survivors that were looked at, each one by hand. */
export const APART: readonly Apart[] = [
  {
    file: 'src/github/secrets/redactor.ts',
    code: 'for (let index = 0; index < text.length; index += 1) {',
    original: 'index < text.length',
    replacement: 'index <= text.length',
    kind: 'changes nothing',
    why: 'behind the end there is no letter',
  },
  {
    file: 'src/github/secrets/redactor.ts',
    code: "while (end < text.length && WORD_BEHIND.test(text[end] ?? '')) end += 1",
    original: 'end < text.length',
    replacement: 'end <= text.length',
    kind: 'changes nothing',
    why: 'behind the end there is no letter',
  },
  {
    file: 'src/github/secrets/redactor.ts',
    code: 'if (start > 0) hash = (hash - Math.imul(LEAVING, codes[start - 1] ?? 0)) | 0',
    original: 'start > 0',
    replacement: 'true',
    kind: 'changes nothing',
    why: 'before the beginning there is nothing to take out of the hash',
  },
  {
    file: 'src/github/secrets/escapes.ts',
    code: "if (parts.length > MOST_PARTS) read += parts.splice(0).join('')",
    original: 'parts.length > MOST_PARTS',
    replacement: 'true',
    kind: 'changes nothing',
    why: 'the text is the same, put together in other pieces',
  },
  {
    file: 'src/actions/post-step/stop-runs.ts',
    code: 'return `This step ended before the run "${inline(first?.run.name ?? \'\')}" did. ${what}`',
    original: 'first?.run',
    replacement: 'first.run',
    kind: 'changes nothing',
    why: 'there is a first run; only the types need the question mark',
  },
  {
    file: 'src/github/log/workflow-log.ts',
    code: "while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop()",
    original: 'lines.at(-1)?.trim',
    replacement: 'lines.at(-1).trim',
    kind: 'changes nothing',
    why: 'there is a last line; only the types need the question mark',
  },
  {
    file: 'src/github/post-step-state.ts',
    code: '} catch {',
    original: '{\n    return undefined\n  }',
    replacement: '{}',
    kind: 'changes nothing',
    why: 'a function that ends without a return gives undefined, too',
  },
  {
    file: 'src/github/workflow/kill-surviving-main.ts',
    code: '} catch {',
    original:
      '{\n    // It ended in between, or belongs to somebody else: nothing of ours is left to end.\n    return false\n  }',
    replacement: '{}',
    kind: 'only words',
    why: 'what is returned decides whether the log has one more line',
  },
  {
    file: 'src/github/workflow/kill-surviving-main.ts',
    code: 'return false',
    original: 'false',
    replacement: 'true',
    kind: 'only words',
    why: 'what is returned decides whether the log has one more line',
  },
  {
    file: 'src/github/workflow/kill-surviving-main.ts',
    code: ') {',
    original: '{\n    await delay(50)\n  }',
    replacement: '{}',
    kind: 'changes nothing',
    why: 'it asks again at once, and not after a moment',
  },
  {
    file: 'src/run/watch/is-over.ts',
    code: 'steps.filter(({ status }) => status !== undefined && isStepSucceeded(status)).map(({ name }) => name),',
    original: 'status !== undefined',
    replacement: 'true',
    kind: 'changes nothing',
    why: 'a step without a state is none that succeeded; only the types need the check',
  },
  {
    file: 'src/run/start/own-run.ts',
    code: "return name.normalize('NFKC').replace(/\\s+/g, ' ').trim().toLowerCase()",
    original: "name.normalize('NFKC').replace(/\\s+/g, ' ').trim().toLowerCase()",
    replacement: "name.normalize('NFKC').replace(/\\s+/g, ' ').trim().toUpperCase()",
    kind: 'changes nothing',
    why: 'both names are folded alike',
  },
  {
    file: 'src/run/find/earlier-run.ts',
    code: "if (match === undefined) return { kind: 'none' }",
    original: "{ kind: 'none' }",
    replacement: '{}',
    kind: 'changes nothing',
    why: 'whoever asks looks only for the two other kinds',
  },
  {
    file: 'src/run/watch/progress.ts',
    code: "const { name, status = 'unknown', startTime, durationMs } = state",
    original: "'unknown'",
    replacement: '""',
    kind: 'changes nothing',
    why: 'a step without a state has not changed; only the types need a default',
  },
  {
    file: 'src/run/outcome/collect.ts',
    code: 'status !== undefined &&',
    original: 'status !== undefined',
    replacement: 'true',
    kind: 'changes nothing',
    why: 'a step without a state is none that goes on; only the types need the check',
  },
  {
    file: 'src/run/start/start.ts',
    code: 'const origin = { runId: run.id, facts, server, account, project: definition.project ?? project }',
    original: 'definition.project ?? project',
    replacement: 'definition.project && project',
    kind: 'changes nothing',
    why: 'both are there or neither is, and both have the same id, which is all that is sent',
  },
  {
    file: 'src/zenml/answers/resolve-answer.ts',
    code: "return { kind: error.status < 300 || isPassing(error) ? 'unclear' : 'refused', error }",
    original: 'error.status < 300',
    replacement: 'error.status <= 300',
    kind: 'changes nothing',
    why: 'a redirect is never the word of ZenML, so it is passing as well',
  },
]

/** Why a mutant does not count; undefined if it does. */
export function setApart(mutant: Mutant): Apart | undefined {
  return APART.find(
    ({ file, code, original, replacement }) =>
      file === mutant.file &&
      code === mutant.code &&
      original === mutant.original &&
      replacement === mutant.replacement,
  )
}
