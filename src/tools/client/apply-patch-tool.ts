/** `apply_patch`: files that the client creates, changes and deletes. */
import { PatchOperationSchema } from '../../protocol/client-items.ts'
import type { ClientToolParam } from '../../protocol/client-tools.ts'
import { compileCheck } from '../../protocol/compile-check.ts'
import { checkPatch } from './check-patch.ts'
import { type ClientToolKind, createClientTool } from './client-tool.ts'

type ApplyPatch = Extract<ClientToolParam, { type: 'apply_patch' }>

const PARAMETERS = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
    path: { type: 'string', minLength: 1, description: 'Of the file, relative to the root of the workspace.' },
    diff: { type: 'string', description: 'Of a file that is created or updated: its lines as described above.' },
  },
  required: ['type', 'path'],
  additionalProperties: false,
}

const DESCRIPTION = `Creates, updates or deletes one file in the user's workspace. Call it once for each file.
The diff of create_file holds every line of the new file, each behind a "+".
The diff of update_file holds sections. A section begins with "@@", or with "@@ " and a line of the file that stands before \
the change, as the head of the function. Then come the lines, each behind one character: " " for a line that stays, "-" for one that \
goes, "+" for one that comes. Repeat three lines that stay before and after each change, exactly as they are in the file. \
No line numbers, no "*** Begin Patch".
Example: {"type":"update_file","path":"src/a.py","diff":"@@ def hello():\\n-    return 1\\n+    return 2\\n"}`

const isOperation = compileCheck(PatchOperationSchema)

const APPLY_PATCH: ClientToolKind<ApplyPatch, ApplyPatch> = {
  owns: (spec: ClientToolParam): spec is ApplyPatch => spec.type === 'apply_patch',
  settle: (spec) => spec,
  describe: () => DESCRIPTION,
  parameters: () => PARAMETERS,
  read({ type, path, diff }, call) {
    const operation = type === 'delete_file' ? { type, path } : { type, path, diff }
    if (!isOperation(operation)) return 'create_file and update_file need a diff'
    return checkPatch(operation) ?? { ...call, type: 'apply_patch_call', status: 'completed', operation }
  },
}

export const createApplyPatchTool = () => createClientTool(APPLY_PATCH)
