/**
 * The threads of `sqlite-index.ts`: one that writes and one that reads, both made of this file. One request at a time, in
 * the order they come; an answer is `{ value }` or `{ error }`.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createFileCache } from './file-cache.ts'
import { serve } from './serve-request.ts'
import type { ThreadRequest } from './thread-request.ts'

const { directory, role } = readData(workerData)
const files = createFileCache(directory, role)

parentPort?.on('message', (request: ThreadRequest) => parentPort?.postMessage(answer(request)))

function answer(request: ThreadRequest): object {
  try {
    return { value: serve(request, files, directory) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

function readData(data: unknown): { directory: string; role: 'reader' | 'writer' } {
  if (typeof data !== 'object' || data === null || !('directory' in data) || !('role' in data))
    throw new TypeError('a thread is told its directory and its role')
  return { directory: String(data.directory), role: data.role === 'writer' ? 'writer' : 'reader' }
}
