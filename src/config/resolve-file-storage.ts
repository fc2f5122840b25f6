/** Where the bytes of files are: a folder, or a bucket with what it takes to reach it. */
import { join } from 'node:path'
import { parseBucket, type ReadContext } from './kinds.ts'
import type { ReadSettings } from './read-settings.ts'
import type { FileStorageConfig, SimpleSettings } from './resolved-config.ts'

export function resolveFileStorage(
  { files, s3 }: Pick<SimpleSettings['storage'], 'files' | 's3'>,
  dataDir: string,
  read: ReadSettings,
  context: ReadContext,
): FileStorageConfig {
  const place = files === null ? null : parseBucket(files)
  if (place === null) return { type: 'directory', path: files ?? join(dataDir, 'files') }
  const need = (value: string | null, name: 'access_key_id' | 'secret_access_key') => {
    if (value === null)
      context.error(read.placeOf('storage.files'), `a bucket needs "storage.s3.${name}", or AWS_${name.toUpperCase()}`)
    return value ?? ''
  }
  return {
    type: 's3',
    ...place,
    endpoint: s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`,
    region: s3.region,
    pathStyle: s3.pathStyle ?? s3.endpoint !== null,
    credentials: {
      accessKeyId: need(s3.accessKeyId, 'access_key_id'),
      secretAccessKey: need(s3.secretAccessKey, 'secret_access_key'),
      sessionToken: s3.sessionToken,
    },
  }
}
