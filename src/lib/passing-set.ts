/**
 * What much goes through: values that come, stay for a moment and leave, in the order in which they came.
 *
 * A `Set` or `Map` that is used so makes itself a new table now and then, and each old table keeps what it held, and the next
 * table, until a full collection. So a value stands here in a place that is emptied when it leaves: nothing is held for longer
 * than it is in here.
 */
export interface PassingSet<T> {
  size(): number
  /** In the order in which they came, as they are now. */
  values(): T[]
  /** The function that is returned takes the value out again; it may be called twice. */
  add(value: T): () => void
  /** Takes the first ones out, as long as they are wanted. */
  takeWhile(isWanted: (value: T) => boolean): T[]
}

type Place<T> = { value: T | null }

export function createPassingSet<T extends object>(): PassingSet<T> {
  const places = new Set<Place<T>>()
  const leave = (place: Place<T>) => {
    place.value = null
    places.delete(place)
  }
  return {
    size: () => places.size,
    values: () => [...places].flatMap(({ value }) => value ?? []),
    add(value) {
      const place: Place<T> = { value }
      places.add(place)
      return () => leave(place)
    },
    takeWhile(isWanted) {
      const taken: T[] = []
      for (const place of places) {
        if (place.value === null || !isWanted(place.value)) break
        taken.push(place.value)
        leave(place)
      }
      return taken
    },
  }
}
