/** `/v1/uploads`: large files, in parts. */
import { uploadNotFound } from '../../engine/uploads.ts'
import { unknownParameter } from '../../protocol/errors.ts'
import type { FormFields } from '../../protocol/read-file-form.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { isPlainId, pathParam } from '../query.ts'
import { openForm } from '../read-form.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { warningHeaders } from '../run-headers.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'limits' | 'clock'>

const ONE = '/v1/uploads/:id'

export const uploadRoutes = ({ engine, validate, limits, clock }: Ports): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: '/v1/uploads',
    access: 'files',
    body: 'json',
    async handle(call) {
      const { request, warnings } = validate.createUpload(call.body)
      Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
      return json(await engine.uploads.create(request, call.caller))
    },
  },
  {
    method: 'POST',
    pattern: `${ONE}/parts`,
    access: 'files',
    body: 'form',
    handle: async (call) =>
      json(await engine.uploads.addPart(idOf(call), openForm(call, PART_FORM, { clock, limits }), call.caller)),
  },
  {
    method: 'POST',
    pattern: `${ONE}/complete`,
    access: 'files',
    body: 'json',
    async handle(call) {
      const { request, warnings } = validate.completeUpload(call.body)
      Object.assign(call.exchange.headers, warningHeaders(warnings, limits.warningBytes))
      return json(await engine.uploads.complete(idOf(call), request, call.caller))
    },
  },
  {
    method: 'POST',
    pattern: `${ONE}/cancel`,
    access: 'files',
    body: 'none',
    handle: async (call) => json(await engine.uploads.cancel(idOf(call), call.caller)),
  },
]

/** A part is its bytes; there is nothing else to say of it. */
const PART_FORM = {
  file: 'data',
  check() {},
  read(fields: FormFields): void {
    for (const name of fields.keys()) throw unknownParameter(name.slice(0, MAX_ECHO), 'data')
  },
}
const MAX_ECHO = 100

function idOf({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw uploadNotFound(id)
  return id
}
