/** What was made of contents, until it is too much together; what was not asked for longest goes first. */
export interface ContentCache<Value> {
  /** Failures are not kept: a document that was too much for a busy moment may be read in the next. */
  get(key: string, make: () => Promise<Value>): Promise<Value>
}

export function createContentCache<Value extends object>(
  maxSize: number,
  sizeOf: (value: Value) => number,
): ContentCache<Value> {
  /** Invariant: in the order of last use, oldest first; `size` is what they take together. */
  const kept = new Map<string, Value>()
  let size = 0
  const forget = (key: string, value: Value) => {
    kept.delete(key)
    size -= sizeOf(value)
  }
  return {
    async get(key, make) {
      const known = kept.get(key)
      if (known) {
        kept.delete(key)
        kept.set(key, known)
        return known
      }
      const made = await make()
      const earlier = kept.get(key)
      if (earlier) forget(key, earlier)
      kept.set(key, made)
      size += sizeOf(made)
      for (const [oldest, value] of kept) {
        if (size <= maxSize) break
        forget(oldest, value)
      }
      return made
    },
  }
}
