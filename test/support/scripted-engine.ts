/** For the tests of the edge: the engine port, scripted. It is the far side of every route. */
import type { Caller, Conversations, Engine, Files, PageQuery, Run, Uploads } from '../../src/engine/engine.ts'
import type { RunBatch, RunEvent } from '../../src/engine/run-event.ts'
import type { Conversation } from '../../src/protocol/conversation.ts'
import { ApiError, conversationNotFound, responseNotFound } from '../../src/protocol/errors.ts'
import type { PromptObject } from '../../src/protocol/prompts.ts'
import type { CreateResponseRequest } from '../../src/protocol/request.ts'
import { NO_USAGE, plainUsage } from '../../src/protocol/usage.ts'
import { sampleResponse } from './sample-response.ts'

const promptObject = (): PromptObject => ({
  id: 'pmpt_1',
  object: 'prompt',
  created_at: 1,
  name: null,
  version: '1',
  default_version: '1',
  latest_version: '1',
  variables: {},
})

export const created = (): RunEvent => ({
  type: 'response.created',
  sequence_number: 0,
  response: sampleResponse({ status: 'in_progress', completed_at: null }),
})
export const delta = (sequence_number: number, text: string): RunEvent => ({
  type: 'response.output_text.delta',
  sequence_number,
  item_id: 'msg_1',
  output_index: 0,
  content_index: 0,
  delta: text,
  logprobs: [],
})
export const completed = (sequence_number: number): RunEvent => ({
  type: 'response.completed',
  sequence_number,
  response: sampleResponse(),
})
export const cancelled = (sequence_number: number): RunEvent => ({
  type: 'run.cancelled',
  sequence_number,
  response: sampleResponse({ status: 'cancelled', completed_at: null }),
})
export const failed = (sequence_number: number, error: ApiError): RunEvent => ({
  type: 'run.failed',
  sequence_number,
  response: sampleResponse({ status: 'failed', error: { code: 'server_error', message: error.message } }),
  error,
})

/** What happened to the stream of a run. */
export type Trace = { abortedBy: unknown; abortedAt: number; readToEnd: boolean; returned: boolean; served: number }

export type Script = (signal: AbortSignal) => AsyncGenerator<RunBatch>

/** A script that yields these batches at once. */
export const batches = (...all: readonly RunBatch[]): Script =>
  async function* () {
    yield* all
  }

/** A script that yields a delta every `everyMs` until its signal aborts, then ends as cancelled, as the engine does. */
export const endless = (everyMs: number): Script =>
  async function* (signal) {
    yield [created()]
    let n = 1
    for (; !signal.aborted; n++) {
      yield [delta(n, `token ${n} `)]
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    yield [cancelled(n)]
  }

function traceStream(events: AsyncGenerator<RunBatch>, signal: AbortSignal): { stream: Run['events']; trace: Trace } {
  const trace: Trace = { abortedBy: undefined, abortedAt: 0, readToEnd: false, returned: false, served: 0 }
  signal.addEventListener('abort', () => {
    trace.abortedBy = signal.reason
    trace.abortedAt = performance.now()
  })
  const iterator = {
    async next() {
      const step = await events.next()
      if (step.done) trace.readToEnd = true
      else trace.served++
      return step
    },
    async return() {
      trace.returned = true
      return events.return(undefined)
    },
  }
  return { stream: { [Symbol.asyncIterator]: () => iterator }, trace }
}

export type ScriptedEngine = Engine & {
  script: Script
  refusal: ApiError | null
  warnings: readonly string[]
  readonly traces: Trace[]
  readonly requests: CreateResponseRequest[]
  readonly pages: PageQuery[]
  /** Of streams that were asked for again. */
  readonly cursors: number[]
}

const noConversation = async (id: string) => {
  throw conversationNotFound(id)
}
const CONVERSATION: Conversation = { id: 'conv_1', object: 'conversation', created_at: 1, metadata: {} }
const noConversations: Conversations = {
  create: async () => CONVERSATION,
  get: noConversation,
  update: noConversation,
  delete: noConversation,
  addItems: noConversation,
  listItems: noConversation,
  getItem: noConversation,
  deleteItem: noConversation,
}

const noFile = async () => {
  throw new ApiError({ status: 404, message: 'no files here' })
}
const noFiles: Files = { create: noFile, get: noFile, list: noFile, delete: noFile, read: noFile }
const noUploads: Uploads = { create: noFile, addPart: noFile, complete: noFile, cancel: noFile }

export function createScriptedEngine(): ScriptedEngine {
  const known = (id: string) => {
    if (id !== 'resp_1') throw responseNotFound(id)
    return sampleResponse()
  }
  return {
    script: batches([created()], [delta(1, 'hi')], [completed(2)]),
    refusal: null,
    warnings: [],
    traces: [],
    requests: [],
    pages: [],
    cursors: [],
    async createResponse(request: CreateResponseRequest, caller: Caller): Promise<Run> {
      this.requests.push(request)
      if (this.refusal) throw this.refusal
      const { stream, trace } = traceStream(this.script(caller.signal), caller.signal)
      this.traces.push(trace)
      return {
        responseId: 'resp_1',
        events: stream,
        warnings: this.warnings,
        report: () => ({
          provider: 'scripted',
          upstreamModel: 'modèle',
          fallbackFrom: null,
          warnings: [],
          attempts: 1,
          upstreamRequestId: 'up_1',
          overheadMs: 1.4,
          costUsd: 0.00012,
        }),
      }
    },
    prepareResponse(request, caller) {
      return this.createResponse(request, caller)
    },
    async streamResponse(id, after, caller) {
      known(id)
      this.cursors.push(after)
      return traceStream(this.script(caller.signal), caller.signal).stream
    },
    runJob: async () => {},
    getResponse: async (id) => known(id),
    async deleteResponse(id) {
      known(id)
    },
    cancelResponse: async (id) => known(id),
    async listInputItems(id, page) {
      known(id)
      this.pages.push(page)
      return { object: 'list', data: [], first_id: null, last_id: null, has_more: false }
    },
    countInputTokens: async () => 7,
    createEmbeddings: async ({ inputs }) => ({
      model: 'demo-embedding',
      vectors: inputs.map(() => [0.5, -0.25]),
      usage: plainUsage(3, 0),
      report: () => ({
        provider: 'scripted',
        upstreamModel: 'demo-embedding',
        fallbackFrom: null,
        warnings: [],
        attempts: 1,
        upstreamRequestId: null,
        overheadMs: 0,
        costUsd: null,
      }),
    }),
    createPrompt: async () => promptObject(),
    updatePrompt: async () => promptObject(),
    getPrompt: async () => promptObject(),
    listPrompts: async () => ({ object: 'list', data: [], first_id: null, last_id: null, has_more: false }),
    deletePrompt: async () => {},
    compactResponse: async () => ({
      response: {
        id: 'resp_1',
        object: 'response.compaction',
        created_at: 1,
        output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'sealed' }],
        usage: NO_USAGE,
      },
      warnings: [],
    }),
    conversations: noConversations,
    files: noFiles,
    uploads: noUploads,
  }
}
