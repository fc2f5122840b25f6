/** The files of the Files API as tools get them. */
import type { Store } from '../store/store.ts'
import type { FileSource } from '../tools/file-source.ts'
import { type BlobDeps, readBlobs } from './receive-blob.ts'

export type FileSourceDeps = Pick<BlobDeps, 'blobs' | 'telemetry'> & { readonly store: Store }

export const createFileSource = (deps: FileSourceDeps): FileSource => ({
  async open(projectId, fileId, signal) {
    const { files } = deps.store.forProject(projectId)
    const [file, parts] = [await files.get(fileId), await files.blobsOf(fileId)]
    if (!file || !parts) return null
    const { id, filename, bytes } = file
    return { id, filename, bytes, content: readBlobs(parts, deps, signal) }
  },
})
