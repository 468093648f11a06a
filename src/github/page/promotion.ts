import type { PromotionConclusion } from '../../run/promote/change-stage.ts'
import type { WorkflowLog } from '../log/workflow-log.ts'
import type { Promotion } from '../../run/promote/promote.ts'
import { blocks, code, escapeMarkdown, link, table } from './markdown.ts'
import { appendToSummary } from './summary.ts'

/** What is known of a promotion at its end; without a version if none was found. */
export type PromotionEnd = Pick<Promotion, 'conclusion' | 'sentence'> & Partial<Promotion>

const SYMBOLS: Readonly<Record<PromotionConclusion, string>> = {
  promoted: '✅',
  superseded: '⏪',
  taken: '✋',
  failed: '❌',
  cancelled: '🚫',
  lost: '❓',
}

const MAX_NAME_LENGTH = 300
const MAX_SENTENCE_LENGTH = 2_000

/** Appends a section about the promotion to the job summary. */
export async function writePromotionSummary(
  end: PromotionEnd,
  url: string | undefined,
  log: Pick<WorkflowLog, 'warning' | 'redact'>,
): Promise<void> {
  await appendToSummary(renderPromotion(end, url), log)
}

function renderPromotion(
  { conclusion, version, previous, sentence }: PromotionEnd,
  url: string | undefined,
): string {
  const model =
    version === undefined
      ? ''
      : ` of ${escapeMarkdown(version.model.name ?? version.model.id, MAX_NAME_LENGTH)}`
  const row = version && [
    link(version.name, url, MAX_NAME_LENGTH),
    code(version.stage ?? 'none', MAX_NAME_LENGTH),
    previous === undefined ? 'no other version' : code(previous.name, MAX_NAME_LENGTH),
  ]
  return blocks(
    `### ${SYMBOLS[conclusion]} ZenML model version${model}: ${WORDS[conclusion] ?? conclusion}`,
    code(sentence, MAX_SENTENCE_LENGTH),
    row && table(['Version', 'Stage', 'Had the stage before'], [row]),
  )
}

/** How each of them reads; a conclusion that is missing here is a word of its own. */
const WORDS: Partial<Readonly<Record<PromotionConclusion, string>>> = {
  superseded: 'conflict with a newer version',
  taken: 'the stage is taken',
  failed: 'not promoted',
  lost: 'outcome unknown',
}
