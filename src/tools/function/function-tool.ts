/** Tools that the client runs: `function`, `custom`, and both inside a `namespace`. */
import type { ToolDeclaration } from '../../models/model.ts'
import type { CustomToolCall, FunctionCall } from '../../protocol/items.ts'
import { checkStrictSchema, isStrictCompatible } from '../../protocol/strict-schema.ts'
import {
  type CustomTool,
  type CustomToolParam,
  type FunctionsParam,
  type FunctionTool,
  type FunctionToolParam,
  isFunctions,
  type NamespaceToolParam,
  type ToolParam,
  type ToolSpec,
} from '../../protocol/tools.ts'
import {
  type DeclaredTool,
  namespacedName,
  type OpenedCall,
  type Tool,
  type ToolOutcome,
  type ToolStep,
} from '../tool.ts'

export function createFunctionTool(): Tool {
  return {
    claims: isFunctions,
    echo: (spec) => echo(functionsOf(spec)),
    declare: (spec, path) => declare(functionsOf(spec), path),
    open,
    execute: awaitClient,
  }
}

/** Nothing runs here. */
// biome-ignore lint/correctness/useYield: a call that the client runs has no steps
async function* awaitClient(): AsyncGenerator<ToolStep, ToolOutcome> {
  return { type: 'await-client' }
}

/** What `claims` said yes to. */
function functionsOf(spec: ToolParam): FunctionsParam {
  if (!isFunctions(spec)) throw new TypeError(`a tool of type '${spec.type}' is no function`)
  return spec
}

function declare(spec: FunctionsParam, path: string): readonly DeclaredTool[] {
  if (spec.type !== 'namespace') return [declareOne(spec, null, path)]
  return spec.tools.map((tool, index) => declareOne(tool, spec, `${path}.tools[${index}]`))
}

function declareOne(
  spec: FunctionToolParam | CustomToolParam,
  namespace: NamespaceToolParam | null,
  path: string,
): DeclaredTool {
  const name = namespace ? namespacedName(namespace.name, spec.name) : spec.name
  const description = [namespace?.description, spec.description].filter(Boolean).join('\n') || null
  const declaration: ToolDeclaration =
    spec.type === 'custom'
      ? { type: 'custom', name, description, format: spec.format ?? { type: 'text' } }
      : { type: 'function', name, description, parameters: spec.parameters ?? null, strict: checkedStrict(spec, path) }
  return {
    declaration,
    name: spec.name,
    namespace: namespace?.name ?? null,
    deferred: spec.defer_loading === true,
    spec: namespace ?? spec,
  }
}

function checkedStrict(spec: FunctionToolParam, path: string): boolean {
  if (spec.strict && spec.parameters) {
    checkStrictSchema(spec.parameters, { param: `${path}.parameters`, name: spec.name, kind: 'function' })
  }
  return isStrict(spec)
}

/** `strict` left out means strict where the schema allows it. */
const isStrict = (spec: FunctionToolParam) =>
  spec.strict ?? (spec.parameters ? isStrictCompatible(spec.parameters) : false)

function echo(spec: FunctionsParam): ToolSpec {
  if (spec.type === 'function') return echoFunction(spec)
  if (spec.type === 'custom') return echoCustom(spec)
  return {
    type: 'namespace',
    name: spec.name,
    description: spec.description ?? '',
    tools: spec.tools.map((tool) => (tool.type === 'function' ? echoFunction(tool) : echoCustom(tool))),
  }
}

const echoFunction = (spec: FunctionToolParam): FunctionTool => ({
  type: 'function',
  name: spec.name,
  description: spec.description ?? null,
  parameters: spec.parameters ?? null,
  strict: isStrict(spec),
  ...(spec.output_schema ? { output_schema: spec.output_schema } : {}),
  ...(typeof spec.defer_loading === 'boolean' ? { defer_loading: spec.defer_loading } : {}),
  ...(spec.allowed_callers ? { allowed_callers: spec.allowed_callers } : {}),
})

const echoCustom = (spec: CustomToolParam): CustomTool => ({
  type: 'custom',
  name: spec.name,
  ...(typeof spec.description === 'string' ? { description: spec.description } : {}),
  format: spec.format ?? { type: 'text' },
  ...(typeof spec.defer_loading === 'boolean' ? { defer_loading: spec.defer_loading } : {}),
  ...(spec.allowed_callers ? { allowed_callers: spec.allowed_callers } : {}),
})

const open = ({ itemId, callId, declared }: OpenedCall): FunctionCall | CustomToolCall => {
  const shared = {
    id: itemId,
    status: 'in_progress' as const,
    call_id: callId,
    name: declared.name,
    ...(declared.namespace === null ? {} : { namespace: declared.namespace }),
  }
  return declared.declaration.type === 'function'
    ? { ...shared, type: 'function_call', arguments: '' }
    : { ...shared, type: 'custom_tool_call', input: '' }
}
