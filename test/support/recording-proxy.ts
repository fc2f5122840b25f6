/** A witness between a client and the server: passes every byte on, keeps the replies, and holds them to the SDK's types. */
import { createServer, request as forward } from 'node:http'
import {
  assertSdkContainer,
  assertSdkContainerFile,
  assertSdkConversation,
  assertSdkConversationItem,
  assertSdkConversationItemList,
  assertSdkDeletedConversation,
  assertSdkDeletedFile,
  assertSdkEvent,
  assertSdkFile,
  assertSdkInputTokens,
  assertSdkItem,
  assertSdkItemList,
  assertSdkModel,
  assertSdkResponse,
  assertSdkUpload,
  assertSdkUploadPart,
} from '../oracle/sdk-oracle.ts'
import { eventsOf } from './http.ts'

export type RecordingProxy = {
  readonly url: string
  /** Asserts that everything that was sent is what the official SDK's types promise. Answers how many objects it saw. */
  check(): number
  close(): Promise<void>
}

type Recorded = { readonly path: string; readonly status: number; readonly type: string; readonly text: string }

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const replies: Recorded[] = []
  const server = createServer((incoming, outgoing) => {
    const upstream = forward(
      new URL(incoming.url ?? '/', target),
      { method: incoming.method, headers: incoming.headers },
      (reply) => {
        const parts: Buffer[] = []
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.on('data', (part: Buffer) => {
          parts.push(part)
          outgoing.write(part)
        })
        reply.on('end', () => {
          const type = String(reply.headers['content-type'])
          const path = incoming.url ?? ''
          replies.push({ path, status: reply.statusCode ?? 0, type, text: Buffer.concat(parts).toString() })
          outgoing.end()
        })
      },
    )
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    check: () => replies.reduce((count, reply) => count + checkReply(reply), 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function checkReply({ path, status, type, text }: Recorded): number {
  if (status !== 200) return 0
  if (type.startsWith('text/event-stream')) {
    const events = eventsOf(text)
    for (const event of events) assertSdkEvent(event)
    return events.length
  }
  if (!type.startsWith('application/json')) return 0
  // The client's own types of vector stores are held by the code of `file-search.test.ts`.
  if (path.startsWith('/v1/vector_stores')) return 0
  const check = CHECKS.find(([start]) => path.startsWith(start))?.[1] ?? checkObject
  return check(JSON.parse(text))
}

type Shown = { object?: string; data?: { object?: string }[]; deleted?: boolean }

function checkContainer(body: Shown): number {
  if (body.object === 'container') assertSdkContainer(body)
  else if (body.object === 'container.file') assertSdkContainerFile(body)
  else if (body.object === 'list') body.data?.forEach(checkContainer)
  else return 0
  return 1
}

/** Items of a conversation have types of their own; they alone carry no `object`. */
function checkConversation(body: Shown): number {
  if (body.object === 'conversation') assertSdkConversation(body)
  else if (body.object === 'conversation.deleted') assertSdkDeletedConversation(body)
  else if (body.object === 'list') {
    assertSdkConversationItemList(body)
    body.data?.forEach(assertSdkConversationItem)
  } else assertSdkConversationItem(body)
  return 1
}

function checkObject(body: Shown): number {
  if (body.deleted && body.object !== 'file') return 0
  if (body.object === 'response') assertSdkResponse(body)
  else if (body.object === 'response.input_tokens') assertSdkInputTokens(body)
  else if (body.object === 'model') assertSdkModel(body)
  else if (body.object === 'file') (body.deleted ? assertSdkDeletedFile : assertSdkFile)(body)
  else if (body.object === 'upload') assertSdkUpload(body)
  else if (body.object === 'upload.part') assertSdkUploadPart(body)
  else if (body.object === 'list' && body.data?.[0]?.object === 'file') body.data.forEach(assertSdkFile)
  else if (body.object === 'list' && body.data?.[0]?.object === 'model') body.data.forEach(assertSdkModel)
  else if (body.object === 'list') {
    assertSdkItemList(body)
    body.data?.forEach(assertSdkItem)
  } else return 0
  return 1
}

/** By the beginning of the path; all others are told by what they say they are. */
const CHECKS = [
  ['/v1/conversations', checkConversation],
  ['/v1/containers', checkContainer],
] as const
