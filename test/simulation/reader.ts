/** A client that follows a background response, is cut off now and then, and takes the stream up again where it was. */
import assert from 'node:assert/strict'
import type { RunEvent } from '../../src/engine/run-event.ts'
import type { Replica } from './replica.ts'

export type Reader = {
  readonly id: string
  /** Every event it was told, over all its connections. */
  readonly told: readonly RunEvent[]
  connect(replica: Replica, projectId: string): void
  /** The end of the stream has come. */
  isDone(): boolean
}

export function createReader(id: string, onBreach: (error: unknown) => void): Reader {
  const told: RunEvent[] = []
  let connection = 0
  let isDone = false
  const read = async (own: number, replica: Replica, projectId: string) => {
    const after = told.at(-1)?.sequence_number ?? -1
    const events = await replica.engine.streamResponse(id, after, replica.caller(projectId))
    for await (const batch of events) {
      // What comes over a connection that was given up is heard by nobody.
      if (own !== connection) return
      for (const event of batch) {
        assert.equal(event.sequence_number, (told.at(-1)?.sequence_number ?? -1) + 1, 'no gap and no repetition')
        told.push(event)
      }
    }
    if (own === connection) isDone = true
  }
  return {
    id,
    told,
    isDone: () => isDone,
    connect(replica, projectId) {
      connection += 1
      read(connection, replica, projectId).catch((error) => {
        if (error instanceof assert.AssertionError) onBreach(error)
      })
    },
  }
}
