/**
 * The two threads of `sqlite-index.ts`, and what becomes of a store whose file they find damaged: it is set aside, and the
 * store is empty and rebuilding until it is said to be whole again. A file that was set aside stays until then, so a process
 * that starts knows of it.
 */
import { createCallThread, ThreadBusy } from '../../lib/call-thread.ts'
import { ownModule } from '../../lib/own-files.ts'
import { IndexBusy, IndexFull, IndexRebuilding, type IndexRepairs } from '../search-index.ts'
import { listSetAside } from './store-file.ts'
import type { ReadRequest, ThreadAnswer, WriteRequest } from './thread-request.ts'

export interface IndexThreads extends IndexRepairs {
  /** Answers what `serve-request.ts` gives for the request. Throws `IndexRebuilding` when a file is damaged. */
  read(request: ReadRequest, signal?: AbortSignal): Promise<unknown>
  write(request: WriteRequest): Promise<unknown>
  /** The store is dropped, and with it what was set aside. */
  forget(storeId: string): void
  close(): Promise<void>
}

export type IndexThreadsOptions = {
  readonly directory: string
  readonly vectorBytes: number
  /** Its file was found damaged, and is set aside by now. */
  readonly onDamaged: (storeId: string) => void
}

/** Requests that wait for a thread. */
export const MAX_WAITING = 1_000
const MEMORY_MB = 1_024

const THREAD_FILE = ownModule('index-thread', import.meta.url)

export function createIndexThreads({ directory, vectorBytes, onDamaged }: IndexThreadsOptions): IndexThreads {
  const thread = (role: 'reader' | 'writer') =>
    createCallThread({
      file: THREAD_FILE,
      data: { directory, role, vectorBytes },
      maxWaiting: MAX_WAITING,
      memoryMb: MEMORY_MB,
    })
  const [reader, writer] = [thread('reader'), thread('writer')]
  const rebuilding = new Set(listSetAside(directory))
  /** Under way. Nobody reads the file meanwhile, or it would be held on to under its new name. */
  const moving = new Map<string, Promise<void>>()

  const move = async (storeId: string) => {
    rebuilding.add(storeId)
    await reader.call({ type: 'forget', storeId })
    await writer.call({ type: 'set-aside', storeId })
  }
  // Whoever asked before it was moved is told of the same damage, and waits for the same move.
  const setAside = (storeId: string, onMoved = (_: string) => {}): Promise<void> => {
    const begin = async () => {
      await move(storeId)
      onMoved(storeId)
    }
    const under = moving.get(storeId) ?? begin().finally(() => moving.delete(storeId))
    moving.set(storeId, under)
    return under
  }
  const answerOf = async (called: Promise<unknown>): Promise<unknown> => {
    const answer = (await called.catch(toBusy)) as ThreadAnswer
    if ('result' in answer) return answer.result
    if ('full' in answer) throw new IndexFull()
    await setAside(answer.damaged, onDamaged)
    throw new IndexRebuilding(answer.damaged)
  }
  return {
    async read(request, signal) {
      if (request.type === 'search') {
        const damaged = request.query.storeIds.find((id) => rebuilding.has(id))
        if (damaged !== undefined) throw new IndexRebuilding(damaged)
      } else await moving.get(request.storeId)
      return answerOf(reader.call(request, signal))
    },
    write: (request) => answerOf(writer.call(request)),
    rebuilding: () => [...rebuilding],
    setAside: (storeId) => setAside(storeId),
    async rebuilt(storeId) {
      await answerOf(writer.call({ type: 'delete-set-aside', storeId }))
      rebuilding.delete(storeId)
    },
    forget: (storeId) => void rebuilding.delete(storeId),
    async close() {
      await Promise.all([reader.close(), writer.close()])
    },
  }
}

function toBusy(error: unknown): never {
  throw error instanceof ThreadBusy ? new IndexBusy() : error
}
