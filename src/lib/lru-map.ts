/** A map that forgets what was not asked for longest, so that it stays bounded. */
export interface LruMap<Key, Value> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): void
  delete(key: Key): void
}

/** `sizeOf`: what a value counts; without it each counts one. All together never count more than `maxSize`. */
export function createLruMap<Key, Value>(
  maxSize: number,
  sizeOf: (value: Value) => number = () => 1,
): LruMap<Key, Value> {
  /** Invariant: in the order of last use, oldest first; `size` is what they count together. */
  const entries = new Map<Key, Value>()
  let size = 0
  const remove = (key: Key) => {
    const value = entries.get(key)
    if (value !== undefined && entries.delete(key)) size -= sizeOf(value)
  }
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      remove(key)
      entries.set(key, value)
      size += sizeOf(value)
      for (const oldest of entries.keys()) {
        if (size <= maxSize) break
        remove(oldest)
      }
    },
    delete: remove,
  }
}
