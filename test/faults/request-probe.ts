/** How long plain requests take while something else goes on, seen from a thread of its own. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Milliseconds. */
export type RequestTimes = { readonly requests: number; readonly p50: number; readonly p99: number }

/** `GET path` again and again while `work` runs. */
export async function watchRequests(
  { url, apiKey }: { readonly url: string; readonly apiKey: string },
  path: string,
  work: () => Promise<unknown>,
): Promise<RequestTimes> {
  const worker = new Worker(new URL('./request-probe-worker.ts', import.meta.url), {
    workerData: { url, apiKey, path },
  })
  try {
    await once(worker, 'message')
    await work()
    worker.postMessage('stop')
    const [times] = await once(worker, 'message')
    return times
  } finally {
    await worker.terminate()
  }
}
