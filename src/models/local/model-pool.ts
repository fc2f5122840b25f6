/**
 * The models in memory: loaded when they are asked for, used by one at a time, unloaded when nobody came for a while or
 * when another model needs the place.
 *
 * Invariants: at most `maxLoaded` models are in memory or on their way in or out; whoever waits is served in the order
 * of coming, except that nobody waits behind one whose model is busy; a model is closed only while nobody uses it.
 */
import type { Clock } from '../../lib/clock.ts'
import { ModelError } from '../model.ts'
import { abortedError } from './aborted.ts'

/** Requests that wait for a model; the next one is told to come later. */
export const MAX_WAITING = 64

export interface PoolModel {
  close(): Promise<void>
}

export type Lease<T extends PoolModel> = { readonly model: T; release(): void }

export interface ModelPool<T extends PoolModel> {
  /** Waits for the model. Throws `ModelError`: aborted, too many are waiting, or what loading it threw. */
  acquire(name: string, signal: AbortSignal): Promise<Lease<T>>
  /** The model if it is in memory, for what may run beside its user and does not wait. */
  peek(name: string): T | null
  /** Closes all that nobody uses, and the others when they are released. */
  close(): Promise<void>
}

export type PoolOptions<T extends PoolModel> = {
  readonly load: (name: string, signal: AbortSignal) => Promise<T>
  readonly maxLoaded: number
  /** Milliseconds. */
  readonly idleMs: number
  readonly clock: Clock
}

type Slot<T> = { model: T | null; busy: boolean; lastUsed: number; cancelIdle: () => void }
type Waiter<T> = { readonly name: string; readonly enter: (slot: Slot<T>, space: Promise<void>) => void }

export function createModelPool<T extends PoolModel>({ load, maxLoaded, idleMs, clock }: PoolOptions<T>): ModelPool<T> {
  const slots = new Map<string, Slot<T>>()
  const waiting: Waiter<T>[] = []
  const closing = new Set<Promise<void>>()
  let closed = false

  const unload = (name: string, slot: Slot<T>): Promise<void> => {
    slot.cancelIdle()
    slots.delete(name)
    const done = (slot.model?.close() ?? Promise.resolve()).catch(() => {}).finally(() => closing.delete(done))
    closing.add(done)
    return done
  }
  const oldestIdle = () =>
    [...slots].filter(([, { busy }]) => !busy).sort(([, a], [, b]) => a.lastUsed - b.lastUsed)[0] ?? null

  /** A place for a model that is not in memory, and when it will be free; null when every model is in use. */
  const findSpace = (): Promise<void> | null => {
    if (slots.size < maxLoaded) return Promise.all(closing).then(() => {})
    const idle = oldestIdle()
    return idle === null ? null : unload(...idle)
  }
  const admit = ({ name, enter }: Waiter<T>): boolean => {
    const known = slots.get(name)
    if (known?.busy) return false
    const space = known === undefined ? findSpace() : Promise.resolve()
    if (space === null) return false
    const slot = known ?? { model: null, busy: true, lastUsed: 0, cancelIdle: () => {} }
    slot.busy = true
    slot.cancelIdle()
    slots.set(name, slot)
    enter(slot, space)
    return true
  }
  const admitWaiting = () => {
    for (const waiter of [...waiting]) if (admit(waiter)) waiting.splice(waiting.indexOf(waiter), 1)
  }
  const release = (name: string, slot: Slot<T>) => {
    slot.busy = false
    slot.lastUsed = clock.monotonic()
    if (slot.model === null || closed) void unload(name, slot)
    else slot.cancelIdle = clock.after(idleMs, () => void unload(name, slot))
    admitWaiting()
  }
  const enterSlot = (name: string, signal: AbortSignal): Promise<{ slot: Slot<T>; space: Promise<void> }> =>
    new Promise((resolve, reject) => {
      const leave = () => {
        const at = waiting.indexOf(waiter)
        if (at < 0) return
        waiting.splice(at, 1)
        reject(abortedError())
      }
      const waiter: Waiter<T> = {
        name,
        enter(slot, space) {
          signal.removeEventListener('abort', leave)
          resolve({ slot, space })
        },
      }
      if (admit(waiter)) return
      if (waiting.length >= MAX_WAITING) {
        const message = `${MAX_WAITING} requests are waiting for local models already; try again later.`
        reject(new ModelError('rate_limit', message, { status: 429 }))
        return
      }
      waiting.push(waiter)
      signal.addEventListener('abort', leave, { once: true })
    })

  return {
    async acquire(name, signal) {
      if (signal.aborted) throw abortedError()
      if (closed) throw new ModelError('unavailable', 'The server is stopping.', { status: 503 })
      const { slot, space } = await enterSlot(name, signal)
      try {
        await space
        slot.model ??= await load(name, signal)
        let released = false
        const leave = () => {
          if (released) return
          released = true
          release(name, slot)
        }
        return { model: slot.model, release: leave }
      } catch (error) {
        release(name, slot)
        throw signal.aborted ? abortedError() : error
      }
    },
    peek: (name) => slots.get(name)?.model ?? null,
    async close() {
      closed = true
      for (const [name, slot] of [...slots]) if (!slot.busy) void unload(name, slot)
      await Promise.all(closing)
    },
  }
}
