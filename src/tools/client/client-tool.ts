/**
 * Tools of the API that a client runs and that are no functions: shells, patches, computers. A model is offered each as
 * a function, and what it writes becomes an item of the tool's own type, once it is whole and known to be a call.
 */
import { satisfiesSchema } from '../../lib/check-schema.ts'
import type { ClientCall } from '../../protocol/client-items.ts'
import {
  CLIENT_TOOL_OF_TYPE,
  type ClientToolParam,
  type ClientToolSpec,
  isClientTool,
} from '../../protocol/client-tools.ts'
import type { ToolParam, ToolSpec } from '../../protocol/tools.ts'
import type { BadArguments, OpenedCall, Tool, ToolOutcome, ToolStep } from '../tool.ts'

type Arguments = Readonly<Record<string, unknown>>

/** One of them. */
export type ClientToolKind<P extends ClientToolParam, S extends ClientToolSpec> = {
  owns(spec: ClientToolParam): spec is P
  /** With its defaults. Throws `ApiError` for what nobody can run. */
  settle(spec: P, path: string): S
  describe(spec: S): string
  parameters(spec: S): Readonly<Record<string, unknown>>
  /** What a provider that has the tool may say beside the parameters. */
  readonly hidden?: readonly string[]
  /** The call, or what is wrong with it. */
  read(args: Arguments, call: Pick<ClientCall, 'id' | 'call_id'>, spec: S): ClientCall | string
}

export function createClientTool<P extends ClientToolParam, S extends ClientToolSpec>(
  kind: ClientToolKind<P, S>,
): Tool {
  const owned = (spec: ToolParam): P => {
    if (!isClientTool(spec) || !kind.owns(spec)) throw new TypeError(`'${spec.type}' is another tool`)
    return spec
  }
  return {
    claims: (spec) => isClientTool(spec) && kind.owns(spec),
    echo: (spec): ToolSpec => kind.settle(owned(spec), 'tools'),
    declare(given, path) {
      const spec = kind.settle(owned(given), path)
      const name = CLIENT_TOOL_OF_TYPE.get(spec.type) ?? spec.type
      const shown = { description: kind.describe(spec), parameters: kind.parameters(spec), strict: false }
      return [{ declaration: { type: 'function', name, ...shown, native: spec }, name, namespace: null, spec: given }]
    },
    open: () => null,
    whole: ({ callId, declared }, input) => {
      const spec = kind.settle(owned(declared.spec), 'tools')
      const args = parse(input)
      if (args === null) return broken('they are not a JSON object')
      if (!fits(kind.parameters(spec), without(args, kind.hidden ?? [])))
        return broken('they do not fit the parameters of the tool')
      const read = kind.read(args, { id: '', call_id: callId }, spec)
      return typeof read === 'string' ? broken(read) : read
    },
    execute: awaitClient,
  }
}

const broken = (problem: string): BadArguments => ({ type: 'bad-arguments', problem })

// biome-ignore lint/correctness/useYield: a call that the client runs has no steps
async function* awaitClient(_call: OpenedCall): AsyncGenerator<ToolStep, ToolOutcome> {
  return { type: 'await-client' }
}

/** Of one check; the parameters of these tools need no more. */
const MAX_STEPS = 100_000

const fits = (schema: Arguments, args: Arguments) => satisfiesSchema(schema, args, schema, { left: MAX_STEPS })

const without = (args: Arguments, hidden: readonly string[]) =>
  Object.fromEntries(Object.entries(args).filter(([name]) => !hidden.includes(name)))

/** Models write null for what they leave out, at any depth. */
function parse(input: string): Arguments | null {
  try {
    const value: unknown = JSON.parse(input, (_key, field) => (field === null ? undefined : field))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

export const isRecord = (value: unknown): value is Arguments =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
