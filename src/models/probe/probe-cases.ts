/**
 * Small questions that show what a model can do in truth. Each asks for one thing, and says what its answer tells: that
 * the provider does it, that it has no effect, or nothing for certain.
 */

import type { FieldSupport, TurnField } from '../../lib/field-support.ts'
import type { ModelEvent, ModelTurn, ToolDeclaration, TurnItem } from '../model.ts'
import { PLAIN_TURN } from '../plain-turn.ts'

export type ProbeReply = {
  readonly events: readonly ModelEvent[]
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly args: string }[]
  readonly batches: number
}

/** `lacking`: it had no effect. `unclear`: the model answered, but not in a way that tells. */
export type ProbeVerdict = 'works' | 'lacking' | 'unclear'

export type ProbeCase = {
  readonly name: string
  /** What it tells about; null: only that the model works. */
  readonly field: TurnField | null
  /** How the field fares where the provider refuses it, or where it has no effect. */
  readonly otherwise: FieldSupport
  readonly turn: ModelTurn
  verdict(reply: ProbeReply): ProbeVerdict
}

/** 32 x 32 pixels of pure red. */
const RED_SQUARE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAJ0lEQVR42u3NsQkAAAjAsP7/tF7hIASyp6lTCQQCgUAgEAgEgi/BAjLD/C5w/SM9AAAAAElFTkSuQmCC'
const FILLER_LINES = 400
const CODE_WORD = 'ZEBRA-42'

type Content = Extract<TurnItem, { type: 'message'; role: 'user' | 'system' | 'developer' }>['content']

const asking = (text: string, more: Partial<ModelTurn> = {}, parts: Content = []): ModelTurn => {
  const content: Content = [{ type: 'input_text', text }, ...parts]
  return {
    ...PLAIN_TURN,
    items: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'user', content }],
    ...more,
  }
}

const WEATHER: ToolDeclaration = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: false,
}
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, people: { type: 'integer' } },
  required: ['city', 'people'],
  additionalProperties: false,
}

const when = (works: boolean, otherwise: ProbeVerdict): ProbeVerdict => (works ? 'works' : otherwise)

export const PROBE_CASES: readonly ProbeCase[] = [
  {
    name: 'text',
    field: null,
    otherwise: 'refused',
    turn: asking('say pong'),
    verdict: ({ text }) => when(text !== '', 'lacking'),
  },
  {
    name: 'stream',
    field: null,
    otherwise: 'refused',
    turn: asking('Count to 30, with spaces between.'),
    verdict: ({ batches }) => when(batches > 2, 'unclear'),
  },
  {
    name: 'tool call',
    field: 'tools.function',
    otherwise: 'emulated',
    turn: asking('call get_weather with {"city":"Rome"}', { tools: [WEATHER] }),
    verdict: ({ calls }) =>
      when(
        calls.some(({ name, args }) => name === 'get_weather' && isObject(args)),
        'unclear',
      ),
  },
  {
    name: 'forced tool call',
    field: 'tool_choice',
    otherwise: 'emulated',
    turn: asking('Hello!', { tools: [WEATHER], toolChoice: { mode: 'required', allowed: null } }),
    verdict: ({ calls }) => when(calls.length > 0, 'lacking'),
  },
  {
    name: 'one call at a time',
    field: 'parallel_tool_calls',
    otherwise: 'emulated',
    turn: asking('call get_weather with {"city":"Rome"} and get_weather with {"city":"Oslo"}', {
      tools: [WEATHER],
      parallelToolCalls: false,
    }),
    verdict: ({ calls }) => (calls.length === 0 ? 'unclear' : when(calls.length === 1, 'lacking')),
  },
  {
    name: 'strict schema',
    field: 'text.format.json_schema',
    otherwise: 'emulated',
    turn: asking('Name a large city and about how many people live there.', {
      text: { format: { type: 'json_schema', name: 'city', schema: SCHEMA, strict: true }, verbosity: 'medium' },
    }),
    verdict: ({ text }) => when(fitsSchema(text), 'lacking'),
  },
  {
    name: 'image',
    field: 'input.image',
    otherwise: 'refused',
    turn: asking('What colour is this square? One word.', {}, [
      { type: 'input_image', image_url: RED_SQUARE, detail: 'auto' },
    ]),
    verdict: ({ text }) => when(/\bred\b/i.test(text), 'unclear'),
  },
  {
    name: 'reasoning',
    field: 'reasoning.effort',
    otherwise: 'ignored',
    turn: asking('What is 17 * 23?', { reasoning: { effort: 'low', summary: null } }),
    verdict: ({ events }) => when(events.some(thinks), 'unclear'),
  },
  {
    name: 'log probabilities',
    field: 'top_logprobs',
    otherwise: 'refused',
    turn: asking('say pong', { topLogprobs: 2 }),
    verdict: ({ events }) => when(events.some(hasLogprobs), 'lacking'),
  },
  {
    name: 'stop',
    field: 'stop',
    otherwise: 'emulated',
    turn: asking('Count to 20, with spaces between.', { stop: ['7'] }),
    verdict: ({ text }) => (text.includes('7') ? 'lacking' : when(text.includes('6'), 'unclear')),
  },
  ...(['temperature', 'top_p'] as const).map(
    (field): ProbeCase => ({
      name: field,
      field,
      otherwise: 'ignored',
      turn: asking('say pong', field === 'temperature' ? { temperature: 0.5 } : { topP: 0.5 }),
      verdict: ({ text }) => when(text !== '', 'unclear'),
    }),
  ),
  {
    name: 'long input',
    field: null,
    otherwise: 'refused',
    turn: asking(
      `The code word is ${CODE_WORD}.\n${'The quick brown fox jumps over the lazy dog again.\n'.repeat(FILLER_LINES)}` +
        'What is the code word?',
    ),
    verdict: ({ text }) => when(text.includes(CODE_WORD), 'unclear'),
  },
]

const thinks = (event: ModelEvent) =>
  event.type === 'reasoning-delta' ||
  (event.type === 'finish' && (event.usage?.output_tokens_details.reasoning_tokens ?? 0) > 0)
const hasLogprobs = (event: ModelEvent) => event.type === 'text-delta' && (event.logprobs?.length ?? 0) > 0

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
const isObject = (json: string) => {
  const value = parsed(json)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function fitsSchema(text: string): boolean {
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || !('city' in value) || !('people' in value)) return false
  return typeof value.city === 'string' && Number.isInteger(value.people) && Object.keys(value).length === 2
}
