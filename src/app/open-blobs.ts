/** The storage of file bytes that the configuration names. */
import type { BlobStore } from '../blobs/blob-store.ts'
import { openDirectoryBlobs } from '../blobs/directory/directory-blobs.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'

export const openBlobs = ({ fileStorage }: Pick<ResolvedConfig, 'fileStorage'>): BlobStore =>
  openDirectoryBlobs(fileStorage.path)
