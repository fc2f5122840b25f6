/**
 * The threads of `sqlite-index.ts`: one that writes and one that reads, both made of this file. One request at a time, in
 * the order they come; an answer is `{ value }` or `{ error }`.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createFileCache } from './file-cache.ts'
import { serve } from './serve-request.ts'
import { isFull, StoreDamaged } from './store-file.ts'
import type { ThreadAnswer, ThreadRequest } from './thread-request.ts'
import { createVectorCache } from './vector-cache.ts'

const { directory, role, vectorBytes } = readData(workerData)
const vectors = createVectorCache(vectorBytes)
const files = createFileCache(directory, role, (file) => vectors.forget(file))

parentPort?.on('message', (request: ThreadRequest) => parentPort?.postMessage(answer(request)))

function answer(request: ThreadRequest): object {
  try {
    return told({ result: serve(request, { files, vectors, directory }) })
  } catch (error) {
    if (isFull(error)) return told({ full: true })
    if (!(error instanceof StoreDamaged)) return { error: error instanceof Error ? error.message : String(error) }
    files.forget(error.storeId)
    return told({ damaged: error.storeId })
  }
}

const told = (value: ThreadAnswer) => ({ value })

function readData(data: unknown): ThreadData {
  if (typeof data !== 'object' || data === null || !('directory' in data && 'role' in data && 'vectorBytes' in data))
    throw new TypeError('a thread is told its directory, its role and what it may keep')
  const role = data.role === 'writer' ? 'writer' : 'reader'
  return { directory: String(data.directory), role, vectorBytes: Number(data.vectorBytes) }
}

type ThreadData = { readonly directory: string; readonly role: 'reader' | 'writer'; readonly vectorBytes: number }
