/** Lets sockets, timers and other requests have their turn. Says nothing about time: it waits for none to pass. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
