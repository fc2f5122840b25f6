/** Turns and readers for the demo model's tests. */
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { ModelEvent, ModelTurn, ToolDeclaration, TurnItem } from '../model.ts'
import { runModel } from '../model-run.contract.ts'
import { PLAIN_TURN } from '../plain-turn.ts'
import { createDemoModel } from './demo-model.ts'

let lastId = 0
const newId = () => `item_${++lastId}`

type Role = 'user' | 'system' | 'developer'

export const user = (text: string): TurnItem => said('user', text)
export const said = (role: Role, text: string): TurnItem => ({
  id: newId(),
  type: 'message',
  status: 'completed',
  role,
  content: [{ type: 'input_text', text }],
})
export const assistant = (text: string): TurnItem => ({
  id: newId(),
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})
export const called = (name: string, args: object, output: string, callId = newId()): TurnItem[] => [
  { id: newId(), type: 'function_call', status: 'completed', call_id: callId, name, arguments: JSON.stringify(args) },
  { id: newId(), type: 'function_call_output', status: 'completed', call_id: callId, output },
]

export function tool(
  name: string,
  properties: object,
  description: string | null = null,
  required = Object.keys(properties),
): ToolDeclaration {
  const parameters = { type: 'object', properties, required, additionalProperties: false }
  return { type: 'function', name, description, parameters, strict: false }
}

export const turn = (items: string | readonly TurnItem[], changes: Partial<ModelTurn> = {}): ModelTurn => ({
  ...PLAIN_TURN,
  model: 'demo',
  items: typeof items === 'string' ? [user(items)] : items,
  ...changes,
})

/** The clock's timers, kept alive: the system clock's do not hold a test process open. */
export const testClock: Clock = {
  ...systemClock,
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}

export type Reply = {
  readonly text: string
  readonly refusal: string
  readonly reasoning: string
  readonly summary: readonly string[]
  readonly calls: readonly { readonly name: string; readonly input: string }[]
  readonly finish: Extract<ModelEvent, { type: 'finish' }>
  readonly events: readonly ModelEvent[]
}

const model = createDemoModel({ clock: testClock })

export async function ask(asked: string | ModelTurn, subject = model): Promise<Reply> {
  const { events, error } = await runModel(subject, typeof asked === 'string' ? turn(asked) : asked)
  if (error !== null) throw error
  return readReply(events)
}

function readReply(events: readonly ModelEvent[]): Reply {
  const finish = events.at(-1)
  if (finish?.type !== 'finish') throw new Error('the reply has no end')
  const joined = (type: 'text-delta' | 'refusal-delta') =>
    events.map((event) => (event.type === type ? event.delta : '')).join('')
  const reasoning = events.flatMap((event) => (event.type === 'reasoning-delta' ? [event] : []))
  const summary: string[] = []
  for (const { kind, part, delta } of reasoning) if (kind === 'summary') summary[part] = (summary[part] ?? '') + delta
  return {
    text: joined('text-delta'),
    refusal: joined('refusal-delta'),
    reasoning: reasoning.map(({ kind, delta }) => (kind === 'text' ? delta : '')).join(''),
    summary,
    calls: events.flatMap((event) =>
      event.type === 'call-start'
        ? [
            {
              name: event.name,
              input: events
                .map((other) => (other.type === 'call-delta' && other.id === event.id ? other.delta : ''))
                .join(''),
            },
          ]
        : [],
    ),
    finish,
    events,
  }
}

/** Name and parsed arguments of each call. */
export const callsOf = (reply: Reply): [string, unknown][] =>
  reply.calls.map(({ name, input }) => [name, JSON.parse(input)])
