/** The outside of a run, such that what was answered before is answered the same. */
import type { SealedBox } from '../lib/sealed-box.ts'
import type { ModelCatalog } from '../models/catalog.ts'
import type { Tool } from '../tools/tool.ts'
import { createJournal, createSeals, type JournalParts } from './journal.ts'
import { journalModels } from './journal-models.ts'
import { journalTools } from './journal-tools.ts'

type Outside = {
  readonly catalog: ModelCatalog
  readonly tools: readonly Tool[]
  readonly sealedBox: SealedBox
}

export function withJournal<D extends Outside>(deps: D, parts: JournalParts): D {
  const seals = createSeals(deps.sealedBox, parts.steps)
  const journal = createJournal(parts, seals)
  return {
    ...deps,
    sealedBox: seals.box,
    catalog: journalModels(deps.catalog, journal),
    tools: journalTools(deps.tools, journal),
  }
}
