/** `/v1/containers`: places where code runs, and the files in them. */
import { containerNotFound } from '../../engine/containers.ts'
import { notFound, unknownParameter } from '../../protocol/errors.ts'
import { clip } from '../../protocol/invalid-texts.ts'
import type { FormFields } from '../../protocol/read-file-form.ts'
import { validateCopyContainerFile, validateCreateContainer } from '../../protocol/validate-container.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { isPlainId, pathParam, readPage, readText } from '../query.ts'
import { openForm } from '../read-form.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { toDownload } from '../to-download.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'containers' | 'limits' | 'clock' | 'replier'>

const ALL = '/v1/containers'
const ONE = `${ALL}/:id`
const FILES = `${ONE}/files`
const FILE = `${FILES}/:file`

export const containerRoutes = (ports: Ports): readonly ProtectedRoute[] => [
  ...wholeContainers(ports),
  ...containerFiles(ports),
]

const wholeContainers = ({ containers }: Ports): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: ALL,
    access: 'responses',
    body: 'json',
    handle: async (call) => json(await containers.create(validateCreateContainer(call.body), callerOnce(call))),
  },
  {
    method: 'GET',
    pattern: ALL,
    access: 'read',
    body: 'none',
    handle: async ({ query, caller }) => json(await containers.list(readPage(query), readText(query, 'name'), caller)),
  },
  {
    method: 'GET',
    pattern: ONE,
    access: 'read',
    body: 'none',
    handle: async (call) => json(await containers.get(idOf(call), call.caller)),
  },
  {
    method: 'DELETE',
    pattern: ONE,
    access: 'responses',
    body: 'none',
    async handle(call) {
      const id = idOf(call)
      await containers.delete(id, call.caller)
      return json({ id, object: 'container.deleted', deleted: true })
    },
  },
]

const containerFiles = (ports: Ports): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: FILES,
    access: 'responses',
    body: 'json-or-form',
    handle: async (call) => json(await addFile(call, ports)),
  },
  {
    method: 'GET',
    pattern: `${FILE}/content`,
    access: 'read',
    body: 'none',
    async handle(call) {
      const file = await ports.containers.readFile(idOf(call), fileOf(call), call.caller)
      return toDownload(call, file, ports)
    },
  },
  ...knownFiles(ports),
]

function addFile(call: AuthorizedCall, { containers, clock, limits }: Ports) {
  const id = idOf(call)
  if (call.body === undefined) return containers.createFile(id, openForm(call, FORM, { clock, limits }), call.caller)
  return containers.copyFile(id, validateCopyContainerFile(call.body), call.caller)
}

const FORM = {
  file: 'file',
  check() {},
  read(fields: FormFields): void {
    const [other] = fields.keys()
    if (other !== undefined) throw unknownParameter(clip(other))
  },
}

const knownFiles = ({ containers }: Ports): readonly ProtectedRoute[] => [
  {
    method: 'GET',
    pattern: FILES,
    access: 'read',
    body: 'none',
    handle: async (call) => json(await containers.listFiles(idOf(call), readPage(call.query), call.caller)),
  },
  {
    method: 'GET',
    pattern: FILE,
    access: 'read',
    body: 'none',
    handle: async (call) => json(await containers.getFile(idOf(call), fileOf(call), call.caller)),
  },
  {
    method: 'DELETE',
    pattern: FILE,
    access: 'responses',
    body: 'none',
    async handle(call) {
      const id = fileOf(call)
      await containers.deleteFile(idOf(call), id, call.caller)
      return json({ id, object: 'container.file.deleted', deleted: true })
    },
  },
]

function idOf({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw containerNotFound(id)
  return id
}

function fileOf({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'file')
  if (!isPlainId(id)) throw notFound(`Container file with id '${id}' not found.`)
  return id
}
