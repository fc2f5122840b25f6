/** Containers and their files, as the API has them. */
import { MAX_CONTAINER_FILE_IDS, MEMORY_LIMIT_NAMES, NetworkPolicySchema } from './hosted-tools.ts'
import { AnyObject, Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'

const MAX_IDLE_MINUTES = 24 * 60
const ExpirySchema = Type.Object({
  anchor: Type.Literal('last_active_at'),
  minutes: Type.Integer({ minimum: 1, maximum: MAX_IDLE_MINUTES }),
})

export const CreateContainerSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 256 }),
  file_ids: Maybe(Type.Array(Type.String(), { maxItems: MAX_CONTAINER_FILE_IDS })),
  expires_after: Maybe(ExpirySchema),
  memory_limit: Maybe(OneOf(MEMORY_LIMIT_NAMES)),
  network_policy: Maybe(NetworkPolicySchema),
  skills: Maybe(Type.Array(AnyObject())),
})

export const CopyContainerFileSchema = Type.Object({ file_id: Type.String({ minLength: 1, maxLength: 256 }) })
/** Either of them, as a form or as JSON. */
export const CreateContainerFileSchema = Type.Object({
  file: Type.Optional(Type.String({ contentMediaType: 'application/octet-stream' })),
  file_id: Type.Optional(Type.String()),
})

export const ContainerSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('container'),
  name: Type.String(),
  created_at: Type.Integer(),
  status: OneOf(['running', 'expired']),
  last_active_at: Type.Integer(),
  expires_after: ExpirySchema,
  memory_limit: Type.Optional(OneOf(MEMORY_LIMIT_NAMES)),
  network_policy: Type.Object({ type: Type.Literal('disabled') }),
})
export const ContainerFileSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('container.file'),
  container_id: Type.String(),
  created_at: Type.Integer(),
  bytes: Type.Integer(),
  path: Type.String(),
  source: OneOf(['user', 'assistant']),
})
const page = { first_id: Nullable(Type.String()), last_id: Nullable(Type.String()), has_more: Type.Boolean() }
export const ContainerListSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(ContainerSchema),
  ...page,
})
export const ContainerFileListSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(ContainerFileSchema),
  ...page,
})
const deleted = <const T extends string>(object: T) =>
  Type.Object({ id: Type.String(), object: Type.Literal(object), deleted: Type.Literal(true) })
export const DeletedContainerSchema = deleted('container.deleted')
export const DeletedContainerFileSchema = deleted('container.file.deleted')

export type CreateContainerRequest = Static<typeof CreateContainerSchema>
export type CopyContainerFileRequest = Static<typeof CopyContainerFileSchema>
export type ContainerObject = Static<typeof ContainerSchema>
export type ContainerFileObject = Static<typeof ContainerFileSchema>
export type ContainerList = Static<typeof ContainerListSchema>
export type ContainerFileList = Static<typeof ContainerFileListSchema>
