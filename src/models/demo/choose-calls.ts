/** Which of the offered tools to call now, if any, and with what. */
import { fillSchema } from '../../lib/fill-schema.ts'
import type { ModelTurn, ToolDeclaration } from '../model.ts'
import { type Hints, hintsFromText } from './arguments-from-text.ts'
import { asksForClientTool, clientToolInput } from './client-tools.ts'
import { asksForCode, codeFor, isCodeInterpreter } from './code-interpreter.ts'
import type { Conversation } from './conversation.ts'
import { customInput } from './custom-input.ts'
import { asksForPicture, isImageGeneration, pictureInput } from './draw.ts'
import { asksForFiles, fileSearchInput, isFileSearch } from './file-search.ts'
import { matchTools, readToolWish, type ToolMatch } from './match-tools.ts'
import { asksForProgram, callableIn, isPrograms, programIn, programOf } from './programs.ts'
import { asksForTheWeb, isWebSearch, webSearchInput } from './web-search.ts'
import { contentWords, wordsOf } from './words.ts'

export type PlannedCall = {
  readonly kind: 'function' | 'custom'
  readonly name: string
  /** JSON arguments, or the free text of a custom tool. */
  readonly input: string
}

type Wanted = PlannedCall & {
  /** Required values that had to be made up. */
  readonly missing: readonly string[]
}

/** At most so many calls are asked for in one turn. */
const MAX_CALLS = 16

/**
 * Calls of one question are made once: what was called since the last user message is taken off what is wanted, and
 * `required` is satisfied by it. So a loop that runs tools always comes to an answer.
 */
export function chooseCalls(turn: ModelTurn, conversation: Conversation): readonly PlannedCall[] {
  const { mode, allowed } = turn.toolChoice
  const offered = turn.tools.filter(({ name }) => allowed === null || allowed.includes(name))
  if (mode === 'none' || offered.length === 0) return []
  const text = conversation.asked?.text ?? ''
  const wish = readToolWish(text)
  const isForced = mode === 'required' && conversation.calls.length === 0
  if (wish.isRefused && !isForced) return []
  const matches = matchWithFollowUp(offered, conversation)
  const chosen = matches.length > 0 || !isForced ? matches : [firstMatch(offered, text)]
  const direct = chosen.flatMap((match) => callsOf(match, conversation, chosen.length))
  const wanted = [...lookUpsFor(direct, offered, conversation), ...direct]
  const open = withoutMade(wanted, conversation)
  if (open.length === 0) return []
  const [next] = open
  const isOneByOne = wish.isSequential || !turn.parallelToolCalls
  if (isOneByOne && next) return [plannedOf(next)]
  // What lacks a value may get it from the result of what does not.
  const grounded = open.filter(({ missing }) => missing.length === 0)
  return (grounded.length > 0 ? grounded : open).slice(0, MAX_CALLS).map(plannedOf)
}

const plannedOf = ({ kind, name, input }: Wanted): PlannedCall => ({ kind, name, input })
const firstMatch = ([first]: readonly ToolDeclaration[], text: string): ToolMatch => {
  if (!first) throw new RangeError('firstMatch needs at least one tool')
  return { tool: first, clause: text }
}

function callsOf({ tool, clause }: ToolMatch, conversation: Conversation, chosenCount: number): Wanted[] {
  if (tool.type === 'custom') {
    return [{ kind: 'custom', name: tool.name, input: customInput(tool, clause), missing: [] }]
  }
  if (isWebSearch(tool)) {
    return [{ kind: 'function', name: tool.name, input: JSON.stringify(webSearchInput(clause)), missing: [] }]
  }
  if (isCodeInterpreter(tool)) {
    return [{ kind: 'function', name: tool.name, input: JSON.stringify({ code: codeFor(clause) }), missing: [] }]
  }
  if (isPrograms(tool)) return [programCall(tool, clause, conversation)]
  const known = clientToolInput(tool, clause)
  if (known !== null) return [{ kind: 'function', name: tool.name, input: JSON.stringify(known), missing: [] }]
  if (isImageGeneration(tool)) {
    return [{ kind: 'function', name: tool.name, input: JSON.stringify(pictureInput(tool, clause)), missing: [] }]
  }
  if (isFileSearch(tool)) {
    return [{ kind: 'function', name: tool.name, input: JSON.stringify(fileSearchInput(clause)), missing: [] }]
  }
  const hints = hintsOf(tool, clause, conversation)
  const inputs = hints.fanOut
    ? hints.fanOut.values.map((value) => new Map([...hints.values, [hints.fanOut?.name ?? '', value]]))
    : [hints.values]
  // Several tools with several values each would multiply; then each tool gets the values in turn all the same.
  return inputs.slice(0, chosenCount > 4 ? 1 : MAX_CALLS).map((values) => ({
    kind: 'function' as const,
    name: tool.name,
    input: JSON.stringify(fillSchema(tool.parameters ?? { type: 'object' }, values) ?? {}),
    missing: hints.missing,
  }))
}

/** It calls what the words ask for; where they name nothing of it, the first tool. */
function programCall(tool: ToolDeclaration, clause: string, conversation: Conversation): Wanted {
  const callable = callableIn(tool)
  const tools = callable.map((it) => it.tool)
  const [first] = tools
  const matched = matchTools(tools, clause)
  const chosen = matched.length > 0 || !first ? matched : [{ tool: first, clause }]
  const calls = chosen.flatMap((match) => callsOf(match, conversation, chosen.length))
  const code = programIn(clause) ?? programOf(calls, callable)
  return { kind: 'function', name: tool.name, input: JSON.stringify({ code }), missing: [] }
}

/** "And in Tokyo?" asks for what was asked before, with another value. */
function matchWithFollowUp(offered: readonly ToolDeclaration[], conversation: Conversation): readonly ToolMatch[] {
  const text = conversation.asked?.text ?? ''
  const web = asksForTheWeb(text) ? offered.find(isWebSearch) : undefined
  if (web !== undefined) return [{ tool: web, clause: text }]
  const programs = asksForProgram(text) ? offered.find(isPrograms) : undefined
  if (programs !== undefined) return [{ tool: programs, clause: text }]
  const client = offered.find((tool) => asksForClientTool(tool, text))
  if (client !== undefined) return [{ tool: client, clause: text }, ...afterSearch(client, offered, text)]
  const drawing = asksForPicture(text) ? offered.find(isImageGeneration) : undefined
  if (drawing !== undefined) return [{ tool: drawing, clause: text }]
  const files = asksForFiles(text, offered.length > 1) ? offered.find(isFileSearch) : undefined
  if (files !== undefined) return [{ tool: files, clause: text }]
  const code = asksForCode(text) ? offered.find(isCodeInterpreter) : undefined
  if (code !== undefined) return [{ tool: code, clause: text }]
  const matches = matchTools(offered, text)
  if (matches.length > 0 || !/^\s*(?:and|what about|how about|now|also)\b/i.test(text) || text.length > 80)
    return matches
  const earlier = conversation.utterances.findLast((said) => said.speaker === 'user' && said !== conversation.asked)
  return matchTools(offered, earlier?.text ?? '').map(({ tool }) => ({ tool, clause: text }))
}

/** What a search has found is called for the same words. */
const afterSearch = (searched: ToolDeclaration, offered: readonly ToolDeclaration[], text: string) =>
  searched.name === 'tool_search'
    ? matchTools(
        offered.filter((tool) => tool !== searched),
        text,
      )
    : []

/** Where a call lacks an id that another tool can find out, that tool comes first: `user_id` from `lookup_user`. */
function lookUpsFor(
  wanted: readonly Wanted[],
  offered: readonly ToolDeclaration[],
  conversation: Conversation,
): Wanted[] {
  const text = conversation.asked?.text ?? ''
  const nouns = wanted.flatMap(({ missing }) =>
    missing.flatMap((name) => /^(.+?)[_-]?id$/i.exec(name)?.[1]?.toLowerCase() ?? []),
  )
  const finders = offered.filter(
    ({ name }) => !wanted.some((call) => call.name === name) && nouns.some((noun) => wordsOf(name).includes(noun)),
  )
  return finders
    .flatMap((tool) => callsOf({ tool, clause: text }, conversation, 1))
    .filter(({ missing }) => missing.length === 0)
}

type FunctionTool = Extract<ToolDeclaration, { type: 'function' }>

function hintsOf(tool: FunctionTool, clause: string, conversation: Conversation): Hints {
  const whole = conversation.asked?.text ?? ''
  const material = {
    sources: conversation.utterances.filter(({ speaker }) => speaker === 'user' || speaker === 'system'),
    outputs: conversation.calls.flatMap(({ output }) => (output === null ? [] : [output])),
    toolWords: contentWords(tool.name),
  }
  const own = hintsFromText(tool.parameters, { ...material, text: clause })
  if (own.missing.length === 0 || clause === whole) return own
  // "Weather and time in Tokyo": what a clause leaves open stands elsewhere in the message.
  const other = hintsFromText(tool.parameters, { ...material, text: whole })
  const values = new Map([...other.values, ...own.values])
  return { values, fanOut: own.fanOut ?? other.fanOut, missing: other.missing.filter((name) => !values.has(name)) }
}

/** Each call made takes one wanted call away: the same one if there is, else the first of its tool. */
function withoutMade(wanted: readonly Wanted[], { calls }: Conversation): readonly Wanted[] {
  const open = [...wanted]
  for (const made of calls) {
    const same = open.findIndex((call) => call.name === made.name && call.input === made.input)
    const at = same >= 0 ? same : open.findIndex((call) => call.name === made.name)
    if (at >= 0) open.splice(at, 1)
  }
  return open
}
