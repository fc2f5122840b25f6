/**
 * Tells the search index what the catalogue has written down for it, in its order. Whatever fails stays written down and
 * is told again; until then nobody is shown what is gone, because hits are held against the catalogue.
 */
import type { SearchIndex } from '../../search-index/search-index.ts'
import type { IndexChange, IngestQueue } from '../../store/vector-store-catalog.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'

export interface IndexTeller {
  /** Resolves when everything that was written down before has been told, or could not be. Never rejects. */
  tell(): Promise<void>
}

const BATCH = 100

type Parts = {
  readonly queue: Pick<IngestQueue, 'changes' | 'forget'>
  readonly index: SearchIndex
  readonly telemetry: Pick<Telemetry, 'failed'>
}

export function createIndexTeller({ queue, index, telemetry }: Parts): IndexTeller {
  let tail: Promise<void> = Promise.resolve()
  const tellAll = async () => {
    try {
      for (;;) {
        const changes = await queue.changes(BATCH)
        if (changes.length === 0) return
        for (const change of changes) await apply(change, index)
        await queue.forget(changes.map(({ seq }) => seq))
      }
    } catch (error) {
      telemetry.failed({ requestId: null, where: 'search-index', error })
    }
  }
  return {
    tell() {
      tail = tail.then(tellAll)
      return tail
    },
  }
}

function apply(change: IndexChange, index: SearchIndex): Promise<void> {
  switch (change.type) {
    case 'drop':
      return index.drop(change.storeId)
    case 'remove':
      return index.remove(change.storeId, change.documentId)
    case 'attributes':
      return index.setAttributes(change.storeId, change.documentId, change.attributes)
    default:
      return change satisfies never
  }
}
