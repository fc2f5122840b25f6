/** Use cases on files: take in, read, list, give back, delete. */

import { seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { badRequest, notFound } from '../protocol/errors.ts'
import { BATCH_FILE_TTL_SECONDS, type FileObject } from '../protocol/files.ts'
import type { FileFields } from '../protocol/read-file-form.ts'
import type { FileQuota, StoredBlob, StoredFile } from '../store/file-store.ts'
import type { ProjectStore, Store } from '../store/store.ts'
import type { Caller, Files, IncomingFile } from './engine.ts'
import { listObject } from './list-object.ts'
import {
  type BlobDeps,
  blobLost,
  discardBlob,
  readBlobs,
  receiveBlob,
  refuseTooLarge,
  removeDropped,
  storageQuota,
} from './receive-blob.ts'
import { refuseKeeping } from './retention.ts'
import type { EngineSettings, FileSettings } from './settings.ts'

export type FileDeps = BlobDeps & { readonly store: Store; readonly settings: EngineSettings }

export const filesOf = ({ principal }: Caller, { store }: Pick<FileDeps, 'store'>): ProjectStore['files'] =>
  store.forProject(principal.projectId).files

export function createFiles(deps: FileDeps): Files {
  const { settings } = deps
  return {
    async create(form, caller) {
      refuseKeeping('Files', caller, settings)
      const limit = { bytes: settings.files.fileBytes, param: 'file' }
      refuseTooLarge(form, limit)
      const leave = deps.transfers.take(caller.principal.projectId)
      const taken: Taken[] = []
      try {
        const fields = await form.read(async ({ filename, mediaType, content }) => {
          taken.push({ filename, mediaType, blob: await receiveBlob(content, limit, caller.signal, deps) })
        })
        return toFileObject(await createFile(taken, fields, caller, deps))
      } catch (error) {
        for (const { blob } of taken) await discardBlob(blob.key, deps)
        throw error
      } finally {
        leave()
      }
    },
    get: async (id, caller) => toFileObject(await findFile(id, caller, deps)),
    async list({ limit, order, after, purpose }, caller) {
      const files = await filesOf(caller, deps).list({ limit, order, after, purpose })
      if (files === 'unknown-after') throw badRequest('after', 'invalid_value', `No such File object: ${after}`)
      return listObject(files.slice(0, limit).map(toFileObject), files.length > limit)
    },
    async delete(id, caller) {
      if (!(await filesOf(caller, deps).delete(id))) throw fileNotFound(id)
      await removeDropped(deps)
    },
    async read(id, caller) {
      const { filename, bytes } = await findFile(id, caller, deps)
      const parts = await filesOf(caller, deps).blobsOf(id)
      if (!parts) throw fileNotFound(id)
      return { filename, bytes, content: readBlobs(parts, deps, caller.signal) }
    },
  }
}

/** The file of a form, once it is in. */
type Taken = Omit<IncomingFile, 'content'> & { readonly blob: StoredBlob }

async function createFile(
  [taken]: readonly Taken[],
  fields: FileFields,
  caller: Caller,
  deps: FileDeps,
): Promise<StoredFile> {
  if (!taken) throw new Error('a form was read without its file')
  const { filename, mediaType, blob } = taken
  const createdAt = seconds(deps.clock)
  const ttl = fields.ttlSeconds ?? defaultTtl(fields.purpose, deps.settings.files)
  const made = await filesOf(caller, deps).create(
    {
      id: fileId(deps.ids),
      filename,
      purpose: fields.purpose,
      mediaType,
      createdAt,
      expiresAt: ttl === null ? null : createdAt + ttl,
    },
    blob,
    quotaOf(deps.settings.files),
  )
  if (made === 'full') throw storageQuota(deps.settings.files.projectBytes, 'file')
  if (made === 'too-many') throw tooManyFiles(deps.settings.files)
  if (made === 'lost') throw blobLost()
  return made
}

/** Null: until it is deleted. */
export function defaultTtl(purpose: string, { ttlSeconds }: FileSettings): number | null {
  const ttls = [ttlSeconds, purpose === 'batch' ? BATCH_FILE_TTL_SECONDS : null].filter((ttl) => ttl !== null)
  return ttls.length === 0 ? null : Math.min(...ttls)
}

export const quotaOf = ({ projectBytes, projectFiles }: FileSettings): FileQuota => ({
  bytes: projectBytes,
  files: projectFiles,
})

/** Clients tell a file's id from a URL by how it begins: `file-`. */
export const fileId = (ids: Ids): string => ids.next('file').replace('_', '-')

export async function findFile(id: string, caller: Caller, deps: Pick<FileDeps, 'store'>): Promise<StoredFile> {
  const file = await filesOf(caller, deps).get(id)
  if (!file) throw fileNotFound(id)
  return file
}

export const fileNotFound = (id: string) => notFound(`No such File object: ${id}`)

export const tooManyFiles = ({ projectFiles }: FileSettings) =>
  badRequest(null, 'limit_exceeded', `The project has ${projectFiles} files, which is the most. Delete some first.`)

export const toFileObject = (file: StoredFile): FileObject => ({
  id: file.id,
  object: 'file',
  bytes: file.bytes,
  created_at: file.createdAt,
  ...(file.expiresAt !== null && { expires_at: file.expiresAt }),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed',
})
