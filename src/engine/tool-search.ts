/**
 * The search for tools that a request holds back. It is the engine's own: what it finds are tools of the request, and
 * what was found is offered from the next turn on.
 */
import type { ToolDeclaration } from '../models/model.ts'
import type { ToolSearchCall } from '../protocol/client-items.ts'
import type { ToolSearchTool } from '../protocol/client-tools.ts'
import type { ToolSpec } from '../protocol/tools.ts'
import type { BadArguments, DeclaredTool, FinishedCall, ToolOutcome, ToolRunner, ToolStep } from '../tools/tool.ts'
import type { OfferedTool } from './offered-tool.ts'
import { tellFound } from './recall-client.ts'

export const TOOL_SEARCH = 'tool_search'

/** Tools that one search finds at most, and what it does when the model does not say. */
export const MAX_FOUND = 20
const FOUND = 8
/** Characters of the list of what can be found. */
export const MAX_LISTED_CHARS = 8000
const MAX_ABOUT_CHARS = 200

const PARAMETERS = {
  type: 'object',
  properties: {
    query: { type: 'string', description: 'What the tools should be able to do, or the name of a group.' },
    limit: { type: 'integer', minimum: 1, maximum: MAX_FOUND },
  },
  required: ['query'],
  additionalProperties: false,
}

export type HeldBack = {
  /** By the name the model will see. */
  readonly tools: ReadonlyMap<string, OfferedTool>
  /** Offers them. */
  load(names: readonly string[]): void
  /** Entries of a request that declare these tools and no others, as they are shown to a client. */
  entriesOf(found: readonly OfferedTool[]): ToolSpec[]
}

export function declareSearch(spec: ToolSearchTool, held: Pick<HeldBack, 'tools'>): DeclaredTool {
  const isClients = spec.execution === 'client'
  const declaration: ToolDeclaration = {
    type: 'function',
    name: TOOL_SEARCH,
    description: (isClients && spec.description) || `${ABOUT}\n${listed(held)}`.trim(),
    parameters: (isClients && spec.parameters) || PARAMETERS,
    strict: false,
  }
  return { declaration, name: TOOL_SEARCH, namespace: null, spec }
}

const ABOUT =
  'Finds tools that you can call afterwards. Search before you say that you cannot do something. What can be found:'

/** Groups by their name; what stands alone by its own. */
function listed({ tools }: Pick<HeldBack, 'tools'>): string {
  const lines = new Map<string, string>()
  for (const { declared } of tools.values()) {
    const group = groupOf(declared)
    const name = group?.name ?? declared.name
    const about = (group ? group.about : declared.declaration.description) ?? ''
    lines.set(name, `- ${name}${about === '' ? '' : `: ${about.slice(0, MAX_ABOUT_CHARS).toWellFormed()}`}`)
  }
  return [...lines.values()].join('\n').slice(0, MAX_LISTED_CHARS).toWellFormed()
}

function groupOf({ spec }: DeclaredTool): { readonly name: string; readonly about: string | null } | null {
  if (spec.type === 'namespace') return { name: spec.name, about: spec.description ?? null }
  return spec.type === 'mcp' ? { name: spec.server_label, about: spec.server_description ?? null } : null
}

export function createToolSearch(spec: ToolSearchTool, held: HeldBack): ToolRunner {
  const execution = spec.execution ?? 'server'
  return {
    runsHere: execution === 'server',
    open: () => null,
    whole({ callId }, input): ToolSearchCall | BadArguments {
      const args = readObject(input)
      if (args === null) return { type: 'bad-arguments', problem: 'they are not a JSON object' }
      if (execution === 'server' && typeof args.query !== 'string')
        return { type: 'bad-arguments', problem: "'query' is not a text" }
      return { id: '', type: 'tool_search_call', call_id: callId, status: 'completed', execution, arguments: args }
    },
    async *execute(call) {
      if (execution === 'client') return { type: 'await-client' }
      return yield* search(call, held)
    },
  }
}

async function* search({ callId, input }: FinishedCall, held: HeldBack): AsyncGenerator<ToolStep, ToolOutcome> {
  const args = readObject(input) ?? {}
  const limit = typeof args.limit === 'number' ? Math.min(Math.max(1, Math.floor(args.limit)), MAX_FOUND) : FOUND
  const found = findTools(String(args.query), held.tools, limit)
  const tools = held.entriesOf(found)
  held.load(found.map(({ declared }) => declared.declaration.name))
  const shared = { id: '', call_id: callId, status: 'completed', execution: 'server' } as const
  yield { type: 'item', item: { ...shared, type: 'tool_search_output', tools } }
  const advice = found.length > 0 ? '' : ` What can be found:\n${listed(held)}`
  return { type: 'result', output: `${tellFound(tools)}${advice}` }
}

/** Weights of where a word of the query stands. */
const IN_NAME = 4
const IN_GROUP = 3
const IN_DESCRIPTION = 1

/** The best first; those of which no word of the query speaks are not found. */
export function findTools(
  query: string,
  tools: ReadonlyMap<string, OfferedTool>,
  limit: number,
): readonly OfferedTool[] {
  const wanted = wordsOf(query)
  const scored = [...tools.values()].map((offered) => ({ offered, score: scoreOf(offered.declared, wanted) }))
  const found = scored.filter(({ score }) => score > 0).toSorted((a, b) => b.score - a.score)
  return found.slice(0, limit).map(({ offered }) => offered)
}

function scoreOf(declared: DeclaredTool, wanted: ReadonlySet<string>): number {
  const group = groupOf(declared)
  const places = [
    { words: wordsOf(declared.name), weight: IN_NAME },
    { words: wordsOf(group?.name ?? ''), weight: IN_GROUP },
    { words: wordsOf(`${declared.declaration.description ?? ''} ${group?.about ?? ''}`), weight: IN_DESCRIPTION },
  ]
  let score = 0
  for (const word of wanted) for (const { words, weight } of places) if (words.has(word)) score += weight
  return score
}

/** `getWeather`, `get_weather` and "get the weather" share their words; an `s` at the end is none. */
const wordsOf = (text: string): ReadonlySet<string> =>
  new Set(
    text
      .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word.length > 2)
      .map((word) => word.replace(/s$/, '')),
  )

function readObject(input: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(input)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
