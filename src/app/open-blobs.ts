/** The storage of file bytes that the configuration names. */
import type { BlobStore } from '../blobs/blob-store.ts'
import { openDirectoryBlobs } from '../blobs/directory/directory-blobs.ts'
import { openS3Blobs } from '../blobs/s3/s3-blobs.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { Clock } from '../lib/clock.ts'

export const openBlobs = ({ fileStorage }: Pick<ResolvedConfig, 'fileStorage'>, clock: Clock): BlobStore =>
  fileStorage.type === 's3' ? openS3Blobs(fileStorage, clock) : openDirectoryBlobs(fileStorage.path)
