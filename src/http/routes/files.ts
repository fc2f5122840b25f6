/** `/v1/files`: files that requests name by id. */
import { fileNotFound } from '../../engine/files.ts'
import { checkFileFields } from '../../protocol/read-file-form.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { isPlainId, pathParam, readFilePage } from '../query.ts'
import { openForm } from '../read-form.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import { toDownload } from '../to-download.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits' | 'clock' | 'replier'>

const ALL = '/v1/files'
const ONE = '/v1/files/:id'

export const fileRoutes = (ports: Ports): readonly ProtectedRoute[] => [
  createFile(ports),
  {
    method: 'GET',
    pattern: ALL,
    access: 'read-files',
    body: 'none',
    handle: async ({ query, caller }) => json(await ports.engine.files.list(readFilePage(query), caller)),
  },
  {
    method: 'GET',
    pattern: ONE,
    access: 'read-files',
    body: 'none',
    handle: async (call) => json(await ports.engine.files.get(idOf(call), call.caller)),
  },
  {
    method: 'DELETE',
    pattern: ONE,
    access: 'files',
    body: 'none',
    async handle(call) {
      const id = idOf(call)
      await ports.engine.files.delete(id, call.caller)
      return json({ id, object: 'file', deleted: true })
    },
  },
  {
    method: 'GET',
    pattern: '/v1/files/:id/content',
    access: 'read-files',
    body: 'none',
    handle: async (call) => toDownload(call, await ports.engine.files.read(idOf(call), call.caller), ports),
  },
]

const createFile = ({ engine, validate, limits, clock }: Ports): ProtectedRoute => ({
  method: 'POST',
  pattern: ALL,
  access: 'files',
  body: 'form',
  async handle(call) {
    const shape = {
      file: 'file',
      check: checkFileFields,
      read(fields: Parameters<typeof validate.fileFields>[0]) {
        const { request, warnings } = validate.fileFields(fields)
        Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
        return request
      },
    }
    return json(await engine.files.create(openForm(call, shape, { clock, limits }), call.caller))
  },
})

function idOf({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw fileNotFound(id)
  return id
}
