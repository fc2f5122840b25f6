/** Counts wrong keys per address, in windows of a minute, so that guessing and broken clients do not load the store. */
import type { Clock } from '../lib/clock.ts'

const WINDOW_MS = 60_000
/** Addresses remembered; beyond it the oldest window is forgotten. */
const MAX_ADDRESSES = 10_000
const DEFAULT_PER_MINUTE = 20

export interface BadKeyLimit {
  /** Milliseconds until this address may try again; 0 when it may now. */
  blockedForMs(address: string): number
  /** One more wrong key from this address. */
  record(address: string): void
}

export function createBadKeyLimit(clock: Clock, perMinute: number = DEFAULT_PER_MINUTE): BadKeyLimit {
  const windows = new Map<string, { readonly start: number; count: number }>()
  const current = (network: string) => {
    const window = windows.get(network)
    if (window !== undefined && clock.monotonic() - window.start < WINDOW_MS) return window
    windows.delete(network)
    return null
  }
  return {
    blockedForMs(address) {
      const window = current(networkOf(address))
      return window === null || window.count < perMinute ? 0 : window.start + WINDOW_MS - clock.monotonic()
    },
    record(address) {
      const network = networkOf(address)
      const window = current(network)
      if (window !== null) {
        window.count += 1
        return
      }
      // Invariant: the map is in the order of the windows' starts, so its first entry is the oldest.
      const oldest = windows.keys().next()
      if (windows.size >= MAX_ADDRESSES && !oldest.done) windows.delete(oldest.value)
      windows.set(network, { start: clock.monotonic(), count: 1 })
    },
  }
}

/** One customer has a whole /64 of IPv6, so that is what counts as an address. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4)
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')
}
