/**
 * What a package attached to reasoning, text and calls and wants to see again on later turns, as one opaque string. The
 * engine seals it into a reasoning item's `encrypted_content` and hands it back opened.
 *
 * The thoughts themselves are kept too: a signature only counts beside the very text it was made for, and the readable
 * text of an item may come back changed.
 */
import type { JSONObject, SharedV4ProviderMetadata } from '@ai-sdk/provider'
import { asFields, asList, asText, type Fields, parseJson } from '../upstream/fields.ts'

export type Metadata = SharedV4ProviderMetadata
export type SignedThought = { readonly text: string; readonly metadata: Metadata }
export type MetadataState = {
  readonly thoughts: readonly SignedThought[]
  /** Of calls, by the provider's id. */
  readonly calls: Readonly<Record<string, Metadata>>
  /** Of the text beside the item. */
  readonly text: Metadata | null
}

export const NO_STATE: MetadataState = { thoughts: [], calls: {}, text: null }
const VERSION = 1

/** Undefined when there is nothing to keep. */
export const packMetadataState = (packageName: string, state: MetadataState): string | undefined =>
  state.thoughts.length === 0 && Object.keys(state.calls).length === 0 && state.text === null
    ? undefined
    : JSON.stringify({ v: VERSION, package: packageName, ...state })

/** Empty for anything this package did not pack: the state of another one is no use to it. */
export function unpackMetadataState(packageName: string, packed: string | undefined): MetadataState {
  const fields = packed ? asFields(parseJson(packed)) : null
  if (fields?.v !== VERSION || fields.package !== packageName) return NO_STATE
  const calls = Object.entries(asFields(fields.calls) ?? {}).flatMap(([id, value]) => {
    const metadata = readMetadata(value)
    return metadata ? [[id, metadata] as const] : []
  })
  const thoughts = asList(fields.thoughts).flatMap((entry): SignedThought[] => {
    const thought = asFields(entry)
    const metadata = readMetadata(thought?.metadata)
    return metadata ? [{ text: asText(thought?.text) ?? '', metadata }] : []
  })
  return { thoughts, calls: Object.fromEntries(calls), text: readMetadata(fields.text) }
}

/** Null where there is none, or it says nothing. */
export function readMetadata(value: unknown): Metadata | null {
  const entries = Object.entries(asFields(value) ?? {}).filter((entry): entry is [string, JSONObject] =>
    isFilled(asFields(entry[1])),
  )
  return entries.length === 0 ? null : Object.fromEntries(entries)
}

const isFilled = (fields: Fields | null) =>
  fields !== null && Object.values(fields).some((value) => value !== undefined && value !== null)

/** Pieces of one block: what comes later stands above what came before. */
export function joinMetadata(before: Metadata | null, after: Metadata | null): Metadata | null {
  if (before === null || after === null) return before ?? after
  const joined: Metadata = { ...before }
  for (const [name, fields] of Object.entries(after)) joined[name] = { ...joined[name], ...fields }
  return joined
}
