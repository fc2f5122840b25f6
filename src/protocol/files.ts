/** The objects of the Files and Uploads APIs, and the bodies of their requests. */
import { Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'

/** What a client may send a file for. */
export const FILE_PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const
/** With those of files that the server itself makes. */
export const ALL_FILE_PURPOSES = [...FILE_PURPOSES, 'assistants_output', 'batch_output', 'fine-tune-results'] as const
export type FilePurpose = (typeof ALL_FILE_PURPOSES)[number]

export const FILE_EXPIRY_SECONDS = { min: 3_600, max: 2_592_000 } as const
/** Files for batches do not outlive this, unless the request says otherwise. */
export const BATCH_FILE_TTL_SECONDS = 2_592_000
/** An upload has to be completed within this. */
export const UPLOAD_TTL_SECONDS = 3_600
/** Code points of a file's name. */
export const MAX_FILENAME_CHARS = 255
/** Parts of an upload. */
export const MAX_UPLOAD_PARTS = 10_000
export const MAX_MEDIA_TYPE_CHARS = 255

export const FileSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('file'),
  bytes: Type.Integer(),
  created_at: Type.Integer(),
  /** Absent: it is kept until it is deleted. */
  expires_at: Type.Optional(Type.Integer()),
  filename: Type.String(),
  purpose: OneOf(ALL_FILE_PURPOSES),
  status: OneOf(['uploaded', 'processed', 'error']),
  status_details: Type.Optional(Type.String()),
})
export const FileListSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(FileSchema),
  first_id: Nullable(Type.String()),
  last_id: Nullable(Type.String()),
  has_more: Type.Boolean(),
})
export const DeletedFileSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('file'),
  deleted: Type.Literal(true),
})

const ExpiresAfterSchema = Type.Object({
  anchor: Type.Literal('created_at'),
  seconds: Type.Integer({ minimum: FILE_EXPIRY_SECONDS.min, maximum: FILE_EXPIRY_SECONDS.max }),
})

/** The form of `POST /v1/files`; nested fields are named as `expires_after[seconds]`. */
export const CreateFileSchema = Type.Object({
  file: Type.String({ contentMediaType: 'application/octet-stream' }),
  purpose: OneOf(FILE_PURPOSES),
  expires_after: Maybe(ExpiresAfterSchema),
})
/** The form of `POST /v1/uploads/{upload_id}/parts`. */
export const AddUploadPartSchema = Type.Object({ data: Type.String({ contentMediaType: 'application/octet-stream' }) })

export const CreateUploadSchema = Type.Object({
  filename: Type.String(),
  purpose: OneOf(FILE_PURPOSES),
  bytes: Type.Integer({ minimum: 1 }),
  mime_type: Type.String({ minLength: 1, maxLength: MAX_MEDIA_TYPE_CHARS }),
  expires_after: Maybe(ExpiresAfterSchema),
})
export const CompleteUploadSchema = Type.Object({
  part_ids: Type.Array(Type.String(), { minItems: 1, maxItems: MAX_UPLOAD_PARTS }),
  md5: Maybe(Type.String()),
})

export const UploadSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('upload'),
  bytes: Type.Integer(),
  created_at: Type.Integer(),
  expires_at: Type.Integer(),
  filename: Type.String(),
  purpose: OneOf(FILE_PURPOSES),
  status: OneOf(['pending', 'completed', 'cancelled', 'expired']),
  file: Maybe(FileSchema),
})
export const UploadPartSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('upload.part'),
  created_at: Type.Integer(),
  upload_id: Type.String(),
})

export type FileObject = Static<typeof FileSchema>
export type FileList = Static<typeof FileListSchema>
export type CreateUploadRequest = Static<typeof CreateUploadSchema>
export type CompleteUploadRequest = Static<typeof CompleteUploadSchema>
export type UploadObject = Static<typeof UploadSchema>
export type UploadPartObject = Static<typeof UploadPartSchema>
