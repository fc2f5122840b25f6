/** Lets so many runs go at once; the others wait in the order in which they came. */
export type RunQueue = <T>(signal: AbortSignal, run: () => Promise<T>) => Promise<T>

export function createRunQueue(atOnce: number): RunQueue {
  const waiting: (() => void)[] = []
  let running = 0
  const enter = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted()
      if (running < atOnce) {
        running += 1
        return resolve()
      }
      const go = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1)
        reject(signal.reason)
      }
      waiting.push(go)
      signal.addEventListener('abort', leave, { once: true })
    })
  return async (signal, run) => {
    await enter(signal)
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
