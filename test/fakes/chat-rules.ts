/**
 * What the scripted upstream answers when a test did not say: a few plain rules over the last user message, so that
 * real clients can be driven end to end by what they write.
 *
 *   call NAME with {json}           calls that tool; "and call OTHER with {...}" makes more calls in the same turn
 *   call A and B                    the same with arguments that fit the tools' schemas
 *   ..., then call B                calls B after the results of the first step
 *   say TEXT / repeat TEXT          answers TEXT and nothing else
 *   count to N                      "1 2 3 ... N"
 *   refuse                          a refusal
 *   think / reason                  reasoning before the answer (also when a reasoning effort is asked for)
 *   my name is X ... what is my name    answers from the conversation
 *   [[...]]                         a directive about how the reply travels, see chat-upstream.ts
 * With a `response_format` the answer is a valid instance of it; after tool results it is their text; else
 * "You said: ...".
 */
import { isJson, type Json } from './chat-validate.ts'
import { instanceOf } from './json-instance.ts'

export type ChatCall = { readonly kind: 'function' | 'custom'; readonly name: string; readonly input: string }
export type ChatAnswer = {
  readonly reasoning: string
  readonly text: string
  readonly refusal: string
  readonly calls: readonly ChatCall[]
}

const DIRECTIVE = /\[\[([^\]]*)\]\]/g

/** The directives of the last user message. */
export const directivesOf = (body: Json): readonly string[] =>
  [...lastUserText(body).matchAll(DIRECTIVE)].map(([, inner]) => (inner ?? '').trim())

export function answerByRules(body: Json): ChatAnswer {
  const said = lastUserText(body).replace(DIRECTIVE, '').trim()
  const messages = messagesOf(body)
  const reasoning = wantsReasoning(body, said) ? `The user wrote ${said.length} characters. I will answer.` : ''
  const answer = (part: Partial<ChatAnswer>): ChatAnswer => ({ reasoning, text: '', refusal: '', calls: [], ...part })
  const calls = callsToMake(body, said, messages)
  if (calls.length > 0) return answer({ calls })
  if (/\brefuse\b/i.test(said)) return answer({ refusal: 'I cannot help with that.' })
  return answer({ text: answerText(body, said, messages) })
}

const messagesOf = (body: Json): readonly Json[] => (Array.isArray(body.messages) ? body.messages.filter(isJson) : [])

export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .filter(isJson)
    .map((part) => (typeof part.text === 'string' ? part.text : part.type === 'text' ? '' : `(${part.type})`))
    .join('\n')
}

export const lastUserText = (body: Json): string =>
  textOf(messagesOf(body).findLast(({ role }) => role === 'user')?.content)

const wantsReasoning = (body: Json, said: string): boolean =>
  /\b(think|reason)\b/i.test(said) || (typeof body.reasoning_effort === 'string' && body.reasoning_effort !== 'none')

function answerText(body: Json, said: string, messages: readonly Json[]): string {
  const format = isJson(body.response_format) ? body.response_format : null
  if (format?.type === 'json_schema' && isJson(format.json_schema))
    return JSON.stringify(instanceOf(format.json_schema.schema ?? {}))
  if (format?.type === 'json_object') return JSON.stringify({ answer: said })
  const lastUser = messages.findLastIndex(({ role }) => role === 'user')
  const results = messages.slice(lastUser + 1).filter(({ role }) => role === 'tool')
  if (results.length > 0) return `The tools answered: ${results.map(({ content }) => textOf(content)).join(' | ')}`
  const exact = /\b(?:say|repeat)(?: exactly)?:?\s+([\s\S]+)/i.exec(said)?.[1]
  if (exact) return exact
  const countTo = /\bcount to (\d+)/i.exec(said)?.[1]
  if (countTo) return Array.from({ length: Math.min(100_000, Number(countTo)) }, (_, index) => index + 1).join(' ')
  return fromConversation(said, messages) ?? `You said: ${said}`
}

function fromConversation(said: string, messages: readonly Json[]): string | null {
  const users = messages.filter(({ role }) => role === 'user').map(({ content }) => textOf(content))
  if (/what is my name/i.test(said)) {
    const name = users.map((text) => /my name is (\p{L}+)/iu.exec(text)?.[1]).findLast(Boolean)
    return name ? `Your name is ${name}.` : 'You have not told me your name.'
  }
  if (/how many messages/i.test(said)) return `I see ${messages.length} messages.`
  return /first message/i.test(said) ? `Your first message was: ${users[0] ?? ''}` : null
}

// ---- tool calls -----------------------------------------------------------------------------------------------

type OfferedTool = { readonly kind: 'function' | 'custom'; readonly name: string; readonly parameters: unknown }

const toolsOf = (body: Json): readonly OfferedTool[] =>
  (Array.isArray(body.tools) ? body.tools.filter(isJson) : []).flatMap((tool): OfferedTool[] => {
    const kind = tool.type === 'custom' ? 'custom' : 'function'
    const declared = tool[kind]
    return isJson(declared) ? [{ kind, name: String(declared.name), parameters: declared.parameters }] : []
  })

function callsToMake(body: Json, said: string, messages: readonly Json[]): readonly ChatCall[] {
  const tools = chosenTools(body)
  if (tools.length === 0) return []
  const lastUser = messages.findLastIndex(({ role }) => role === 'user')
  const step = messages.slice(lastUser + 1).filter(({ tool_calls }) => Array.isArray(tool_calls)).length
  const asked = readCalls(said.split(/\bthen\b/i)[step] ?? '', tools)
  const [first] = tools
  const forced = body.tool_choice !== undefined && body.tool_choice !== 'auto' && step === 0
  const calls = asked.length === 0 && forced && isForcing(body.tool_choice) && first ? [makeCall(first, null)] : asked
  return body.parallel_tool_calls === false ? calls.slice(0, 1) : calls
}

const isForcing = (choice: unknown): boolean =>
  choice === 'required' ||
  (isJson(choice) &&
    (choice.type !== 'allowed_tools' || (isJson(choice.allowed_tools) && choice.allowed_tools.mode === 'required')))

function chosenTools(body: Json): readonly OfferedTool[] {
  const tools = toolsOf(body)
  const choice = body.tool_choice
  if (choice === 'none') return []
  if (!isJson(choice)) return tools
  const allowed = isJson(choice.allowed_tools) ? choice.allowed_tools.tools : [choice]
  const names = toolsOf({ tools: allowed }).map(({ name }) => name)
  return tools.filter(({ name }) => names.includes(name))
}

/** `call NAME`, and `and NAME` or `, NAME` behind it, each with or without `with {json}` or `with "text"`. */
function readCalls(text: string, tools: readonly OfferedTool[]): readonly ChatCall[] {
  const start = /\bcall(?:s|ing)?\s+/i.exec(text)
  if (!start) return []
  const calls: ChatCall[] = []
  let rest = text.slice(start.index + start[0].length)
  for (;;) {
    const name = /^(?:the\s+)?(?:tool\s+)?[`"']?([\w.-]+?)[`"']?(?=[\s,.;!?]|$)/i.exec(rest)
    const tool = tools.find((offered) => offered.name === name?.[1])
    if (!name || !tool) return calls
    rest = rest.slice(name[0].length)
    const given = readGiven(rest)
    rest = given.rest
    calls.push(makeCall(tool, given.input))
    const joint = /^\s*(?:,\s*and|,|and)\s+(?:call\s+)?/i.exec(rest)
    if (!joint) return calls
    rest = rest.slice(joint[0].length)
  }
}

function readGiven(text: string): { readonly input: string | null; readonly rest: string } {
  const before = /^\s+with\s+/i.exec(text)
  if (!before) return { input: null, rest: text }
  const from = before[0].length
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text.slice(from))
  if (quoted) return { input: quoted[1] ?? '', rest: text.slice(from + quoted[0].length) }
  for (let end = text.indexOf('}', from); end >= 0; end = text.indexOf('}', end + 1)) {
    const candidate = text.slice(from, end + 1)
    if (parses(candidate)) return { input: candidate, rest: text.slice(end + 1) }
  }
  return { input: null, rest: text }
}

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const makeCall = ({ kind, name, parameters }: OfferedTool, input: string | null): ChatCall => ({
  kind,
  name,
  input:
    input ?? (kind === 'custom' ? 'example input' : JSON.stringify(instanceOf(parameters ?? { type: 'object' }) ?? {})),
})
