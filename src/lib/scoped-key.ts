import { createHash } from 'node:crypto'

/**
 * A client's key as it may leave a project: the same key of two projects becomes two keys, so that no cache behind it,
 * ours or a provider's, can mix them. 43 characters of base64url.
 */
export const scopedKey = (projectId: string, key: string): string =>
  createHash('sha256').update(`${projectId}\n${key}`).digest('base64url')
