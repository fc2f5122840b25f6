/** Use cases on uploads: a file too large for one request comes in parts. */
import { createHash } from 'node:crypto'
import { seconds } from '../lib/clock.ts'
import { typeOfFile } from '../lib/media-type.ts'
import { ApiError, badRequest, notFound } from '../protocol/errors.ts'
import {
  type CompleteUploadRequest,
  FILE_PURPOSES,
  MAX_UPLOAD_PARTS,
  UPLOAD_TTL_SECONDS,
  type UploadObject,
} from '../protocol/files.ts'
import type { CompletedUpload, StoredBlob, StoredUpload, UploadLimits, UploadStatus } from '../store/file-store.ts'
import type { Caller, Uploads } from './engine.ts'
import { defaultTtl, type FileDeps, fileId, filesOf, quotaOf, toFileObject, tooManyFiles } from './files.ts'
import {
  blobLost,
  discardBlob,
  readBlobs,
  receiveBlob,
  refuseTooLarge,
  removeDropped,
  storageQuota,
} from './receive-blob.ts'
import { refuseKeeping } from './retention.ts'
import type { FileSettings } from './settings.ts'

export function createUploads(deps: FileDeps): Uploads {
  const { clock, ids, settings } = deps
  const uploadsOf = (caller: Caller) => filesOf(caller, deps).uploads
  return {
    async create(request, caller) {
      refuseKeeping('Files', caller, settings)
      if (request.bytes > settings.files.uploadBytes) throw tooLarge(settings.files)
      const createdAt = seconds(clock)
      const made = await uploadsOf(caller).create(
        {
          id: ids.next('upload'),
          filename: request.filename,
          bytes: request.bytes,
          purpose: request.purpose,
          mediaType: typeOfFile(request.mime_type, request.filename),
          createdAt,
          expiresAt: createdAt + UPLOAD_TTL_SECONDS,
          fileTtlSeconds: request.expires_after?.seconds ?? defaultTtl(request.purpose, settings.files),
        },
        limitsOf(settings.files),
      )
      if (made === 'too-many') throw tooManyUploads(settings.files)
      return toUploadObject(made)
    },
    async addPart(id, form, caller) {
      refuseClosed(id, await uploadsOf(caller).get(id))
      const limit = { bytes: settings.files.partBytes, param: 'data' }
      refuseTooLarge(form, limit)
      const leave = deps.transfers.take(caller.principal.projectId)
      const received: StoredBlob[] = []
      try {
        await form.read(async ({ content }) => {
          received.push(await receiveBlob(content, limit, caller.signal, deps))
        })
        const part = { id: ids.next('part'), createdAt: seconds(clock) }
        await addPart(id, part, received, caller, deps)
        return { id: part.id, object: 'upload.part', created_at: part.createdAt, upload_id: id }
      } catch (error) {
        for (const { key } of received) await discardBlob(key, deps)
        throw error
      } finally {
        leave()
      }
    },
    async complete(id, request, caller) {
      if (request.md5) await checkDigest(id, request.md5, request.part_ids, caller, deps)
      const file = { id: fileId(ids), createdAt: seconds(clock) }
      const ended = await uploadsOf(caller).complete(id, request.part_ids, file, quotaOf(settings.files))
      if (ended.type !== 'completed') throw notCompleted(id, ended, request, settings.files)
      await removeDropped(deps)
      return { ...toUploadObject(ended.upload), file: toFileObject(ended.file) }
    },
    async cancel(id, caller) {
      const ended = await uploadsOf(caller).cancel(id)
      if (ended === 'unknown') throw uploadNotFound(id)
      if (typeof ended === 'string') throw closed(id, ended)
      await removeDropped(deps)
      return toUploadObject(ended)
    },
  }
}

async function addPart(
  id: string,
  part: { readonly id: string; readonly createdAt: number },
  [blob]: readonly StoredBlob[],
  caller: Caller,
  deps: FileDeps,
): Promise<void> {
  if (!blob) throw new Error('a form was read without its file')
  const { files } = deps.settings
  const { uploads } = filesOf(caller, deps)
  const added = await uploads.addPart(id, part, blob, limitsOf(files))
  switch (added) {
    case 'added':
      return
    case 'unknown':
      throw uploadNotFound(id)
    case 'closed':
      throw closed(id, (await uploads.get(id))?.status ?? 'expired')
    case 'too-large':
      throw badRequest('data', 'invalid_value', 'The parts of this upload hold more bytes than it was created with.')
    case 'too-many':
      throw badRequest('data', 'limit_exceeded', `The upload has ${MAX_UPLOAD_PARTS} parts, which is the most.`)
    case 'full':
      throw storageQuota(files.projectBytes, 'data')
    case 'lost':
      throw blobLost()
  }
}

/** Parts never change, so what was read here is what becomes the file. */
async function checkDigest(
  id: string,
  md5: string,
  partIds: readonly string[],
  caller: Caller,
  deps: FileDeps,
): Promise<void> {
  const parts = await filesOf(caller, deps).uploads.blobsOf(id, partIds)
  // What is wrong with the upload or its parts is said by completing it.
  if (!parts) return
  const hash = createHash('md5')
  for await (const chunk of readBlobs(parts, deps, caller.signal)) hash.update(chunk)
  if (hash.digest('hex') === md5.toLowerCase()) return
  throw badRequest('md5', 'invalid_value', "Invalid 'md5': the parts, in this order, have another checksum.")
}

type NotCompleted = Exclude<CompletedUpload, { type: 'completed' }>

function notCompleted(id: string, ended: NotCompleted, { part_ids }: CompleteUploadRequest, files: FileSettings) {
  switch (ended.type) {
    case 'unknown':
      return uploadNotFound(id)
    case 'closed':
      return closed(id, ended.status)
    case 'no-parts':
      return badRequest('part_ids', 'invalid_value', "Invalid 'part_ids': name the parts in their order.")
    case 'unknown-part':
    case 'repeated-part': {
      const why = ended.type === 'unknown-part' ? 'this upload has no such part' : 'it is named twice'
      const shown = part_ids[ended.index]?.slice(0, MAX_ECHO)
      return badRequest(`part_ids[${ended.index}]`, 'invalid_value', `Invalid part '${shown}': ${why}.`)
    }
    case 'wrong-size': {
      const why = `the parts hold ${ended.bytes} bytes, but the upload was created with ${ended.declared}`
      return badRequest('part_ids', 'invalid_value', `Invalid 'part_ids': ${why}.`)
    }
    case 'too-many':
      return tooManyFiles(files)
  }
}

const MAX_ECHO = 100

function refuseClosed(id: string, upload: StoredUpload | null): void {
  if (!upload) throw uploadNotFound(id)
  if (upload.status !== 'pending') throw closed(id, upload.status)
}

export const uploadNotFound = (id: string) => notFound(`No such Upload object: ${id}`)

const closed = (id: string, status: UploadStatus) =>
  badRequest(null, 'invalid_upload_status', `Upload ${id} is ${status}; only a pending upload can be changed.`)

const limitsOf = (files: FileSettings): UploadLimits => ({
  ...quotaOf(files),
  uploads: files.projectUploads,
  parts: MAX_UPLOAD_PARTS,
})

const tooLarge = ({ uploadBytes }: FileSettings) =>
  badRequest('bytes', 'integer_above_max_value', `Invalid 'bytes': at most ${uploadBytes} bytes are taken.`)

const tooManyUploads = ({ projectUploads }: FileSettings) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: `The project has ${projectUploads} pending uploads, which is the most. Complete or cancel some first.`,
    headers: { 'retry-after': '1' },
  })

function toUploadObject(upload: StoredUpload): UploadObject {
  const purpose = FILE_PURPOSES.find((known) => known === upload.purpose)
  if (purpose === undefined) throw new Error('an upload has a purpose that no request can name')
  return {
    id: upload.id,
    object: 'upload',
    bytes: upload.bytes,
    created_at: upload.createdAt,
    expires_at: upload.expiresAt,
    filename: upload.filename,
    purpose,
    status: upload.status,
    file: null,
  }
}
