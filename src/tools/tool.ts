/**
 * PORT: a tool the engine can offer to a model. Client-executed functions are a tool like any other, whose outcome is
 * `await-client`: the loop has no special cases.
 *
 * The laws, held by `tool.contract.ts`: `claims` and `prepare` refuse bad declarations with an `ApiError` while
 * planning; `execute` never throws, a failure is an outcome that the model gets to see (law 9).
 */
import { crc32 } from 'node:zlib'
import type { ToolDeclaration } from '../models/model.ts'
import type { CustomToolCall, FunctionCall, Item } from '../protocol/items.ts'
import type { ToolParam, ToolSpec } from '../protocol/tools.ts'

export interface Tool {
  /** Whether this entry of the request's `tools` is mine. */
  claims(spec: ToolParam): boolean
  /** The entry with its defaults filled in and its secrets removed, as the Response echoes it. */
  echo(spec: ToolParam): ToolSpec
  /** What the model is shown for this entry; `path` names it in errors, as `tools[0]`. */
  declare(spec: ToolParam, path: string): readonly DeclaredTool[]
  /** The item a call opens, shown while its arguments stream. */
  open(call: OpenedCall): FunctionCall | CustomToolCall
  /** Runs a finished call, or says who must. */
  execute(call: FinishedCall, signal: AbortSignal): Promise<ToolOutcome>
}

/** A declaration with what the client calls it: `declaration.name` is the model's name for it. */
export type DeclaredTool = {
  readonly declaration: ToolDeclaration
  readonly name: string
  readonly namespace: string | null
}

export type OpenedCall = {
  readonly itemId: string
  readonly callId: string
  readonly declared: DeclaredTool
}

export type FinishedCall = OpenedCall & {
  /** Function calls: JSON text. Custom tools: the free text itself. */
  readonly input: string
}

export type ToolOutcome =
  /** The client runs it: the turn ends here. */
  | { readonly type: 'await-client' }
  /** It ran here; these items join the context and the model goes on. */
  | { readonly type: 'result'; readonly items: readonly Item[] }

const MAX_NAME_CHARS = 64
const SEPARATOR = '__'

/**
 * The name of a namespaced tool for models that know no namespaces: `crm` and `find` become `crm__find`. Providers
 * take 64 characters; a longer name is cut and told apart by a checksum of the whole.
 */
export function namespacedName(namespace: string, name: string): string {
  const whole = `${namespace}${SEPARATOR}${name}`
  if (whole.length <= MAX_NAME_CHARS) return whole
  const mark = crc32(whole).toString(16).padStart(8, '0')
  return `${whole.slice(0, MAX_NAME_CHARS - mark.length - 1)}_${mark}`
}
