import { ApiError } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'
import type { ProjectStore } from '../store/store.ts'
import type { ItemReference, NormalizedItem } from './normalize-input.ts'

type ReferenceOptions = {
  readonly store: ProjectStore
  /** What the list is called in the request, for errors. */
  readonly name?: 'input' | 'items'
  /** The project keeps nothing, so `store` would not help. */
  readonly keepsNothing?: boolean
}

/**
 * Puts stored items in the place of their references. An item that the chain brings along already is not shown twice:
 * its reference then says nothing new.
 */
export async function resolveReferences(
  input: readonly NormalizedItem[],
  history: readonly Item[],
  { store, name = 'input', keepsNothing = false }: ReferenceOptions,
): Promise<readonly Item[]> {
  const references = input.filter((item) => item.type === 'item_reference')
  if (references.length === 0) return input.filter((item) => item.type !== 'item_reference')
  const inChain = new Set(history.map((item) => item.id))
  const wanted = references.filter((reference) => !inChain.has(reference.id)).map((reference) => reference.id)
  const stored = await store.getItems(wanted)
  return input.flatMap((item) => {
    if (item.type !== 'item_reference') return [item]
    if (inChain.has(item.id)) return []
    const found = stored.get(item.id)
    if (!found) throw itemNotFound(item, name, keepsNothing ? ZERO_RETENTION : NOT_STORED)
    return [found]
  })
}

const NOT_STORED =
  'Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from ' +
  'your input.'
const ZERO_RETENTION =
  'Items are not persisted for Zero Data Retention organizations. Remove this item from your input and try again.'

const itemNotFound = ({ id }: ItemReference, param: string, advice: string) =>
  new ApiError({ status: 404, param, message: `Item with id '${id}' not found. ${advice}` })
