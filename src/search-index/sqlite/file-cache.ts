/** Open files of stores, the least recently used closed first. */
import { openForReading, openForWriting, type StoreFile } from './store-file.ts'

export interface FileCache {
  /** Null where there is nothing to read. */
  get(storeId: string): StoreFile | null
  forget(storeId: string): void
}

/** A file costs three handles and its cache. */
const MAX_OPEN = 32

export function createFileCache(
  directory: string,
  role: 'reader' | 'writer',
  onClose: (file: StoreFile) => void,
): FileCache {
  const files = new Map<string, StoreFile>()
  const forget = (storeId: string) => {
    const file = files.get(storeId)
    if (file === undefined) return
    onClose(file)
    file.close()
    files.delete(storeId)
  }
  return {
    forget,
    get(storeId) {
      const file = files.get(storeId) ?? (role === 'writer' ? openForWriting : openForReading)(directory, storeId)
      if (file === null) return null
      files.delete(storeId)
      files.set(storeId, file)
      const [oldest] = files.keys()
      if (files.size > MAX_OPEN && oldest !== undefined) forget(oldest)
      return file
    },
  }
}
