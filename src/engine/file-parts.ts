/** Images and files among the items a model is shown: where they are, and items with others in their place. */
import type { TurnItem } from '../models/model.ts'
import type { StoredPart } from '../protocol/content.ts'
import type { NormalizedItem } from './normalize-input.ts'

export type FilePart = Extract<StoredPart, { type: 'input_file' }>
export type ImagePart = Extract<StoredPart, { type: 'input_image' }>

/**
 * The place of a part in the request, as `input[0].content[1]`, and the field that says where its content is. A part of the
 * history has none.
 */
export type PartPlaces = WeakMap<object, { readonly path: string; readonly field: string }>

/** For errors. */
export function paramOf(part: FilePart | ImagePart, places: PartPlaces): string {
  const place = places.get(part)
  return place === undefined ? 'input' : `${place.path}.${place.field}`
}

const fieldOf = (part: FilePart | ImagePart): string => {
  if (part.type === 'input_image') return part.image_url ? 'image_url' : 'file_id'
  return part.file_data ? 'file_data' : part.file_url ? 'file_url' : 'file_id'
}

export function placesOf(input: readonly NormalizedItem[]): PartPlaces {
  const places: PartPlaces = new WeakMap()
  for (const [index, item] of input.entries()) {
    if (item.type === 'item_reference') continue
    const { list, parts } = partsOf(item)
    for (const [at, part] of parts.entries()) {
      if (part.type === 'input_text') continue
      places.set(part, { path: `input[${index}].${list}[${at}]`, field: fieldOf(part) })
    }
  }
  return places
}

/** `list`: what the list is called in its item. */
function partsOf(item: Exclude<NormalizedItem, { type: 'item_reference' }>): Parts {
  if (item.type === 'message' && item.role !== 'assistant') return { list: 'content', parts: item.content }
  if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
    return typeof item.output === 'string' ? NO_PARTS : { list: 'output', parts: item.output }
  }
  return NO_PARTS
}

type Parts = { readonly list: 'content' | 'output'; readonly parts: readonly StoredPart[] }
const NO_PARTS: Parts = { list: 'content', parts: [] }

/** Images and files that `wanted` wants, in their order. Runs over every turn of every request, so it makes no lists. */
export function findParts(
  items: readonly TurnItem[],
  wanted: (part: FilePart | ImagePart) => boolean,
): readonly (FilePart | ImagePart)[] {
  const found: (FilePart | ImagePart)[] = []
  for (const item of items) {
    for (const part of partsOf(item).parts) if (part.type !== 'input_text' && wanted(part)) found.push(part)
  }
  return found
}

/** The items with the parts that are keys of the map replaced by one or more; the others are the very same objects. */
export function replaceParts(
  items: readonly TurnItem[],
  replacements: ReadonlyMap<StoredPart, StoredPart | readonly StoredPart[]>,
): readonly TurnItem[] {
  if (replacements.size === 0) return items
  const replaced = (parts: readonly StoredPart[]) => parts.flatMap((part) => replacements.get(part) ?? part)
  return items.map((item) => {
    if (!partsOf(item).parts.some((part) => replacements.has(part))) return item
    if (item.type === 'message' && item.role !== 'assistant') return { ...item, content: replaced(item.content) }
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      return typeof item.output === 'string' ? item : { ...item, output: replaced(item.output) }
    }
    return item
  })
}
