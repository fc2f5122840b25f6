/** Items of hosted tools as a provider tells them, which is more or less -> as we keep them. */
import { compileCheck } from './compile-check.ts'
import { HOSTED_OUTPUT_SCHEMAS, type HostedItem, isHostedItem } from './hosted-items.ts'
import { Type } from './schema.ts'

type JsonObject = Readonly<Record<string, unknown>>

const fitsStored = compileCheck(Type.Union([...HOSTED_OUTPUT_SCHEMAS]))

/** What an item may lack and still be understood. */
const ZERO_VALUES: Readonly<Record<HostedItem['type'], JsonObject>> = {
  web_search_call: { status: 'completed', action: { type: 'search' } },
  file_search_call: { status: 'completed', queries: [] },
  code_interpreter_call: { status: 'completed', container_id: '', code: null, outputs: null },
  image_generation_call: { status: 'completed', result: null },
  mcp_list_tools: { tools: [] },
  mcp_call: { status: 'completed', arguments: '' },
  mcp_approval_request: { arguments: '' },
}

/** With its zero values, without its nulls, under the id given. Null where it is none of these, or makes no sense. */
export function readHostedItem(value: JsonObject, id: string): HostedItem | null {
  if (!isTyped(value)) return null
  const given = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
  const item = { ...ZERO_VALUES[value.type], ...Object.fromEntries(given), id }
  return fitsStored(item) ? item : null
}

const isTyped = (value: JsonObject): value is JsonObject & { readonly type: HostedItem['type'] } =>
  typeof value.type === 'string' && isHostedItem({ type: value.type })
