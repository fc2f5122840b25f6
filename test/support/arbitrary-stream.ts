/** Random but lawful model streams: any blocks, interleaved and cut into batches in any way. */
import fc from 'fast-check'
import type { FinishReason, HostedDraft, ModelBatch, ModelEvent } from '../../src/models/model.ts'
import type { Logprob } from '../../src/protocol/content.ts'
import { finish } from './scripted-model.ts'
import { CODE_NAME, SEARCH_NAME } from './scripted-tool.ts'

export const FUNCTION_NAME = 'lookup'
export const CUSTOM_NAME = 'scribble'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const deltas = fc.array(text, { maxLength: 5 })
const logprob = fc.record({
  token: text,
  logprob: fc.constant(-0.5),
  bytes: fc.array(fc.nat(255), { maxLength: 2 }),
  top_logprobs: fc.constant([] as Logprob['top_logprobs']),
})
const annotation = fc.record({
  type: fc.constant('url_citation' as const),
  url: fc.webUrl(),
  title: text,
  start_index: fc.nat(5),
  end_index: fc.nat(9),
})

type Block = (id: string) => ModelEvent[]

/** Whether a block begins a message of its own, as providers of the Responses kind say it. */
const message = fc.option(fc.record({ phase: fc.constantFrom(null, 'commentary' as const, 'final_answer' as const) }))

const textBlock: fc.Arbitrary<Block> = fc
  .tuple(
    message,
    fc.array(fc.oneof(fc.tuple(text, fc.option(fc.array(logprob, { maxLength: 2 }))), annotation), { maxLength: 5 }),
  )
  .map(([begun, parts]) => (id) => [
    { type: 'text-start', id, ...(begun && { message: begun }) },
    ...parts.map((part): ModelEvent => {
      if (!Array.isArray(part)) return { type: 'annotation', id, annotation: part }
      const [delta, logprobs] = part
      return { type: 'text-delta', id, delta, ...(logprobs ? { logprobs } : {}) }
    }),
    { type: 'text-end', id },
  ])
const refusalBlock: fc.Arbitrary<Block> = deltas.map((parts) => (id) => [
  { type: 'refusal-start', id },
  ...parts.map((delta): ModelEvent => ({ type: 'refusal-delta', id, delta })),
  { type: 'refusal-end', id },
])
const reasoningBlock: fc.Arbitrary<Block> = fc
  .tuple(
    fc.array(fc.record({ kind: fc.constantFrom('summary' as const, 'text' as const), step: fc.nat(1), delta: text }), {
      maxLength: 6,
    }),
    fc.option(text, { nil: undefined }),
  )
  .map(([parts, state]) => (id) => {
    let part = 0
    return [
      { type: 'reasoning-start', id },
      ...parts.map(({ kind, step, delta }): ModelEvent => {
        part += step
        return { type: 'reasoning-delta', id, kind, part, delta }
      }),
      { type: 'reasoning-end', id, ...(state === undefined ? {} : { state }) },
    ]
  })
const callBlock: fc.Arbitrary<Block> = fc
  .tuple(
    fc.constantFrom(FUNCTION_NAME, CUSTOM_NAME, CODE_NAME, SEARCH_NAME),
    deltas,
    fc.option(fc.constantFrom('call_a', 'call_b')),
  )
  .map(([name, parts, callId]) => (id) => [
    { type: 'call-start', id, kind: name === CUSTOM_NAME ? 'custom' : 'function', name, callId },
    ...parts.map((delta): ModelEvent => ({ type: 'call-delta', id, delta })),
    { type: 'call-end', id },
  ])

/** Of tools that a client runs and that are no functions: whole, broken in what they say, or no JSON at all. */
const clientCallBlock: fc.Arbitrary<Block> = fc
  .tuple(
    fc.oneof(
      fc.record({ commands: fc.array(text, { maxLength: 3 }) }).map((args) => ['shell', JSON.stringify(args)] as const),
      fc
        .record({ type: fc.constantFrom('create_file', 'delete_file'), path: text, diff: text })
        .map((args) => ['apply_patch', JSON.stringify(args)] as const),
      text.map((args) => ['shell', args] as const),
      fc.constantFrom('hidden', 'nothing').map((query) => ['tool_search', JSON.stringify({ query })] as const),
    ),
    fc.nat(8),
  )
  .map(([[name, input], at]) => (id) => [
    { type: 'call-start', id, kind: 'function', name, callId: null },
    ...halves(input, at).map((delta): ModelEvent => ({ type: 'call-delta', id, delta })),
    { type: 'call-end', id },
  ])

/** Cut between two characters; a delta holds no half of one. */
const halves = (whole: string, at: number): readonly string[] => {
  const chars = [...whole]
  return [chars.slice(0, at).join(''), chars.slice(at).join('')]
}

const ended = fc.constantFrom('completed' as const, 'failed' as const)
const hostedItem: fc.Arbitrary<HostedDraft> = fc.oneof(
  fc.record({
    type: fc.constant('web_search_call' as const),
    status: ended,
    action: fc.record({ type: fc.constant('search' as const), query: text }),
  }),
  fc.record({
    type: fc.constant('file_search_call' as const),
    status: ended,
    queries: fc.array(text, { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant('code_interpreter_call' as const),
    status: ended,
    container_id: fc.constant('cntr_1'),
    code: fc.option(text),
    outputs: fc.constant(null),
  }),
  fc.record({ type: fc.constant('image_generation_call' as const), status: ended, result: fc.option(text) }),
  fc.record({
    type: fc.constant('mcp_list_tools' as const),
    server_label: text,
    tools: fc.constant<never[]>([]),
    error: fc.option(text),
  }),
  fc.record({
    type: fc.constant('mcp_call' as const),
    status: ended,
    server_label: text,
    name: text,
    arguments: text,
    output: fc.option(text),
  }),
  fc.record({ type: fc.constant('mcp_approval_request' as const), server_label: text, name: text, arguments: text }),
)
/** Told in full, in part, or only at its end; what was streamed may differ from what the end says. */
const hostedBlock: fc.Arbitrary<Block> = fc
  .tuple(hostedItem, fc.array(fc.oneof(text, fc.constant(null), fc.nat(3)), { maxLength: 4 }), fc.boolean())
  .map(([item, steps, startsWhole]) => (id) => {
    const hasText = item.type === 'code_interpreter_call' || item.type === 'mcp_call'
    const opened: HostedDraft =
      startsWhole || !hasText
        ? item
        : item.type === 'mcp_call'
          ? { ...item, status: 'in_progress', arguments: '' }
          : { ...item, status: 'in_progress', code: null }
    return [
      { type: 'hosted-start', id, item: opened },
      ...steps.flatMap((step): ModelEvent[] => {
        if (step === null) return [{ type: 'hosted-running', id }]
        if (typeof step === 'string') return hasText ? [{ type: 'hosted-delta', id, delta: step }] : []
        const image = { partial_image_index: step, partial_image_b64: 'AA==' }
        return item.type === 'image_generation_call' ? [{ type: 'hosted-image', id, image }] : []
      }),
      { type: 'hosted-end', id, item },
    ]
  })

const blocks = fc.array(fc.oneof(textBlock, refusalBlock, reasoningBlock, callBlock, clientCallBlock, hostedBlock), {
  maxLength: 6,
})
const reason: fc.Arbitrary<FinishReason> = fc.constantFrom('stop', 'tool_calls', 'length', 'content_filter')

/** Takes from the blocks in turn as `picks` says; each block keeps its own order. */
function interleave(queues: ModelEvent[][], picks: readonly number[]): ModelEvent[] {
  const events: ModelEvent[] = []
  const waiting = queues.map((queue) => [...queue])
  for (let turn = 0; waiting.some((queue) => queue.length > 0); turn++) {
    const open = waiting.filter((queue) => queue.length > 0)
    const next = open[(picks[turn % picks.length] ?? 0) % open.length]?.shift()
    if (next) events.push(next)
  }
  return events
}

function cut(events: readonly ModelEvent[], sizes: readonly number[]): ModelBatch[] {
  const batches: ModelBatch[] = []
  for (let at = 0, turn = 0; at < events.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    batches.push(events.slice(at, at + size))
    at += size
  }
  return batches
}

/** The same stream as single events and cut into batches. */
export const arbitraryStream = fc
  .record({
    blocks,
    reason,
    picks: fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
    sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ blocks, reason, picks, sizes }) => {
    const queues = blocks.map((block, index) => block(`b${index}`))
    const events = [...interleave(queues, picks), finish(reason)]
    return { events, batches: cut(events, sizes) }
  })
