/** How an item is asked for by its id: by its key, and by a text that only a body with this id holds. */
import { itemKey } from '../item-key.ts'

/**
 * Bodies are kept as the text they came as, and never read as JSON by the database: it would refuse what JSON can
 * escape and PostgreSQL cannot hold.
 */
export const idText = (itemId: string): string => `"id":${JSON.stringify(itemId)}`

export const wantedItems = (projectId: string, ids: readonly string[]): string =>
  JSON.stringify(ids.map((id) => ({ key: itemKey(projectId, id), text: idText(id) })))

/** An array of row numbers as PostgreSQL writes it. */
export const rowNumbers = (seqs: readonly number[]): string => `{${seqs.join(',')}}`
