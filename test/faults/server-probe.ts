/** Looks at a running process from outside: its memory, and how long others wait for it meanwhile. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export type Strain = {
  /** Most that was used beyond the start, in bytes; 0 where the system does not tell. */
  readonly grownBytes: number
  /** Longest wait for `GET /health`. */
  readonly slowestMs: number
}

/**
 * Runs `work` and watches the server while it runs, from a thread of its own: what keeps this one busy must not be
 * mistaken for a slow server.
 */
export async function watch({ url, pid }: { url: string; pid: number }, work: () => Promise<void>): Promise<Strain> {
  const worker = new Worker(new URL('./probe-worker.ts', import.meta.url), { workerData: { url, pid } })
  try {
    await once(worker, 'message')
    await work()
    worker.postMessage('stop')
    const [strain] = await once(worker, 'message')
    return strain
  } finally {
    await worker.terminate()
  }
}
