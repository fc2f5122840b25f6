/** The operations for clients that speak chat completions, and embeddings. */
import { refTo } from './openapi-components.ts'
import { IDEMPOTENCY_KEY, json, type Operation, ok } from './openapi-operation.ts'

const STREAM =
  'With `stream: true`: server-sent events, each one `data` line with a chunk as JSON. `data: [DONE]` ends the stream. A ' +
  'stream that breaks off has a frame with `error` before its end.'

export const CHAT_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/chat/completions',
    id: 'createChatCompletion',
    summary: 'Create a chat completion',
    tag: 'Chat',
    parameters: [IDEMPOTENCY_KEY],
    body: 'CreateChatCompletion',
    replies: ok(`The completion. ${STREAM}`, {
      ...json('ChatCompletion'),
      'text/event-stream': { schema: refTo('ChatCompletionChunk') },
    }),
  },
  {
    method: 'post',
    path: '/v1/embeddings',
    id: 'createEmbeddings',
    summary: 'Turn texts into vectors',
    tag: 'Embeddings',
    body: 'CreateEmbedding',
    replies: ok('One embedding for each input, in their order.', json('EmbeddingList')),
  },
]
