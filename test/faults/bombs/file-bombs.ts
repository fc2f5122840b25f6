/** Files that are made to harm their reader: all of them in the full form, else every other of those that are over soon. */
import { isFull } from '../seed.ts'
import { DRAWING_BOMBS } from './drawing-bombs.ts'
import type { FileBomb } from './file-bomb.ts'
import { OFFICE_BOMBS } from './office-bombs.ts'
import { PDF_BOMBS } from './pdf-bombs.ts'
import { TEXT_BOMBS } from './text-bombs.ts'

export const FILE_BOMBS: readonly FileBomb[] = [...OFFICE_BOMBS, ...PDF_BOMBS, ...DRAWING_BOMBS, ...TEXT_BOMBS].filter(
  ({ isLong }, at) => isFull || (!isLong && at % 2 === 0),
)
