/** PORT: counts that several processes add to, for limits that hold for all of them together. */

export interface SharedCounts {
  /**
   * Adds what was counted here to the counts of `window`, and answers what they are now, those of all processes. Counts of a
   * window are forgotten some time after it. Rejects, soon, when the others cannot be reached.
   */
  add(window: SharedWindow, counts: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}

/** One span of time, the same for every process. */
export type SharedWindow = {
  /** How many spans have passed since the epoch. */
  readonly index: number
  readonly lengthMs: number
}
