/** Use cases on containers and their files. The containers themselves are behind a port. */

import { admitIdle, admitMemory, admitNetwork, refuseUnavailable } from '../protocol/container-rules.ts'
import type {
  ContainerFileList,
  ContainerFileObject,
  ContainerList,
  ContainerObject,
  CopyContainerFileRequest,
  CreateContainerRequest,
} from '../protocol/containers.ts'
import { ApiError, badRequest, notFound } from '../protocol/errors.ts'
import {
  CONTAINER_FOLDER,
  type Container,
  ContainerError,
  type ContainerFile,
  type Containers,
  type ProjectContainers,
  unknownContainer,
} from '../tools/containers.ts'
import type { FileSource } from '../tools/file-source.ts'
import type { Caller, FileContent, IncomingForm, PageQuery } from './engine.ts'
import { type IdempotencyDeps, once } from './idempotency.ts'
import { listObject } from './list-object.ts'
import { refuseTooLarge } from './receive-blob.ts'
import type { RunSlots } from './run-slots.ts'

export interface ContainersApi {
  create(request: CreateContainerRequest, caller: Caller): Promise<ContainerObject>
  list(page: PageQuery, name: string | null, caller: Caller): Promise<ContainerList>
  get(id: string, caller: Caller): Promise<ContainerObject>
  delete(id: string, caller: Caller): Promise<void>
  listFiles(id: string, page: PageQuery, caller: Caller): Promise<ContainerFileList>
  getFile(id: string, fileId: string, caller: Caller): Promise<ContainerFileObject>
  deleteFile(id: string, fileId: string, caller: Caller): Promise<void>
  readFile(id: string, fileId: string, caller: Caller): Promise<FileContent>
  /** Out of a form. */
  createFile(id: string, form: IncomingForm<unknown>, caller: Caller): Promise<ContainerFileObject>
  /** A file of the Files API. */
  copyFile(id: string, request: CopyContainerFileRequest, caller: Caller): Promise<ContainerFileObject>
}

/** `param`: where it was named. */
type AskedFile = { readonly fileId: string; readonly param: string }

/** `containers` null: code is switched off. */
export type ContainersDeps = IdempotencyDeps & {
  readonly containers: Containers | null
  readonly source: FileSource
  /** Transfers that run at once. */
  readonly transfers: RunSlots
}

export function createContainersApi(deps: ContainersDeps): ContainersApi {
  const of = ({ principal }: Caller): ProjectContainers => {
    if (deps.containers === null) throw refuseUnavailable(SWITCHED_OFF, null)
    return deps.containers.forProject(principal.projectId)
  }
  const find = (id: string, caller: Caller): Container => {
    const found = of(caller).get(id)
    if (!found) throw containerNotFound(id)
    return found
  }
  const findFile = async (id: string, fileId: string, caller: Caller): Promise<ContainerFile> => {
    find(id, caller)
    const file = await orRefuse(of(caller).getFile(id, fileId))
    if (!file) throw fileNotFound(fileId)
    return file
  }
  return {
    create: (request, caller) => once(ENDPOINT, caller, deps, (endClaim) => create(request, caller, endClaim)),
    async list({ limit, order, after }, name, caller) {
      const page = of(caller).list({ limit, order, after, name })
      if (page === null) throw badRequest('after', 'invalid_value', `No container with id '${after}' is on this list.`)
      return listObject(page.data.map(toContainerObject), page.hasMore)
    },
    get: async (id, caller) => toContainerObject(find(id, caller)),
    async delete(id, caller) {
      if (!of(caller).delete(id)) throw containerNotFound(id)
    },
    async listFiles(id, page, caller) {
      find(id, caller)
      return pageOfFiles(await orRefuse(of(caller).listFiles(id)), page)
    },
    getFile: async (id, fileId, caller) => toFileObject(await findFile(id, fileId, caller)),
    async deleteFile(id, fileId, caller) {
      find(id, caller)
      if (!(await orRefuse(of(caller).deleteFile(id, fileId)))) throw fileNotFound(fileId)
    },
    async readFile(id, fileId, caller) {
      const file = await findFile(id, fileId, caller)
      const filename = file.path.split('/').at(-1) ?? file.path
      return { filename, bytes: file.bytes, content: of(caller).readFile(id, file) }
    },
    async createFile(id, form, caller) {
      find(id, caller)
      refuseTooLarge(form, { bytes: deps.containers?.maxDiskBytes ?? 0, param: 'file' })
      const leave = deps.transfers.take(caller.principal.projectId)
      const made: ContainerFile[] = []
      try {
        await form.read(async ({ filename, content }) => {
          made.push(await orRefuse(of(caller).addFile(id, filename, content)))
        })
      } finally {
        leave()
      }
      const [file] = made
      if (!file) throw new Error('a form was read without its file')
      return toFileObject(file)
    },
    async copyFile(id, { file_id }, caller) {
      find(id, caller)
      return toFileObject(await copy(id, { fileId: file_id, param: 'file_id' }, caller))
    },
  }

  async function copy(id: string, asked: AskedFile, caller: Caller): Promise<ContainerFile> {
    const file = await deps.source.open(caller.principal.projectId, asked.fileId, caller.signal)
    if (!file) throw badRequest(asked.param, 'file_not_found', `No such File object: ${asked.fileId.slice(0, 100)}`)
    return orRefuse(of(caller).addFile(id, file.filename, file.content))
  }

  async function create(
    request: CreateContainerRequest,
    caller: Caller,
    endClaim: Parameters<Parameters<typeof once<ContainerObject>>[3]>[0],
  ): Promise<ContainerObject> {
    const mine = of(caller)
    const { containers } = deps
    admitNetwork(request.network_policy, 'network_policy')
    admitMemory(request.memory_limit, 'memory_limit', containers?.maxMemoryBytes ?? 0)
    const minutes = request.expires_after?.minutes
    admitIdle(minutes, 'expires_after.minutes', containers?.maxIdleMs ?? 0)
    const why = (await containers?.unavailable()) ?? null
    if (why !== null) throw refuseUnavailable(why, null)
    const made = await orRefuse(async () =>
      mine.create({
        id: mine.newId(),
        name: request.name,
        memoryLimit: request.memory_limit ?? null,
        idleMs: minutes === undefined ? null : minutes * 60_000,
        isAuto: false,
      }),
    )
    try {
      for (const [index, fileId] of (request.file_ids ?? []).entries())
        await copy(made.id, { fileId, param: `file_ids[${index}]` }, caller)
    } catch (error) {
      mine.delete(made.id)
      throw error
    }
    const object = toContainerObject(made)
    const claim = endClaim(object)
    // A container is no row of the store; its claim ends by itself.
    if (claim) await deps.store.forProject(caller.principal.projectId).finishUnstored([], { turn: null, claim })
    return object
  }
}

const ENDPOINT = 'POST /v1/containers'
const SWITCHED_OFF = "it is switched off by 'tools.code_interpreter.sandbox'"

export const containerNotFound = (id: string) => notFound(unknownContainer(id))
const fileNotFound = (id: string) => notFound(`Container file with id '${id}' not found.`)

/** What a container cannot do, as the caller is told. */
async function orRefuse<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
  try {
    return await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error
    const { message, cause } = error
    switch (error.reason) {
      case 'gone':
        throw new ApiError({ status: 404, code: 'container_expired', message, cause })
      case 'full':
        throw new ApiError({ status: 429, code: 'too_many_containers', message, cause })
      case 'unavailable':
        throw new ApiError({ status: 400, code: 'tool_unavailable', message, cause })
      case 'failed':
        throw new ApiError({ status: 400, code: 'container_failed', message, cause })
      default:
        throw error.reason satisfies never
    }
  }
}

const toContainerObject = ({ memoryLimit, ...info }: Container): ContainerObject => ({
  id: info.id,
  object: 'container',
  name: info.name,
  created_at: info.createdAt,
  status: info.status,
  last_active_at: info.lastActiveAt,
  expires_after: { anchor: 'last_active_at', minutes: Math.max(1, Math.round(info.idleMs / 60_000)) },
  ...(memoryLimit !== null && { memory_limit: memoryLimit }),
  network_policy: { type: 'disabled' },
})

const toFileObject = ({ id, containerId, createdAt, bytes, path, source }: ContainerFile): ContainerFileObject => ({
  id,
  object: 'container.file',
  container_id: containerId,
  created_at: createdAt,
  bytes,
  path: `${CONTAINER_FOLDER}/${path}`,
  source,
})

function pageOfFiles(files: readonly ContainerFile[], { limit, order, after }: PageQuery): ContainerFileList {
  const ordered = order === 'asc' ? files : files.toReversed()
  const from = after === null ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  if (after !== null && from === 0)
    throw badRequest('after', 'invalid_value', `No file with id '${after}' is on this list.`)
  return listObject(ordered.slice(from, from + limit).map(toFileObject), ordered.length > from + limit)
}
