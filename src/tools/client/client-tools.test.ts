import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PatchOperation } from '../../protocol/client-items.ts'
import { ApiError } from '../../protocol/errors.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import { checkPatch } from './check-patch.ts'
import { createClientTools } from './client-tools.ts'

const TOOLS = createClientTools()

function whole(spec: ToolParam, input: string) {
  const tool = TOOLS.find((candidate) => candidate.claims(spec))
  const [declared] = tool?.declare(spec, 'tools[0]') ?? []
  assert.ok(tool?.whole && declared)
  return tool.whole({ itemId: '', callId: 'call_1', declared, at: 0 }, input)
}
const update = (diff: string): PatchOperation => ({ type: 'update_file', path: 'a', diff })
const create = (diff: string): PatchOperation => ({ type: 'create_file', path: 'a', diff })

describe('the syntax of a patch', () => {
  const good: readonly PatchOperation[] = [
    { type: 'delete_file', path: 'a' },
    create(''),
    create('+a\n+\n+b'),
    create('+a\r\n+b\r\n'),
    update('@@\n a\n-b\n+c\n'),
    update('@@ class A\n@@ def f():\n a\n\n-b\n'),
    update('-b'),
    update('+c\n*** End of File\n'),
    update('+c\n*** End of File\n@@ d\n-e'),
  ]
  for (const operation of good) {
    test(`is right in ${JSON.stringify(operation)}`, () => assert.equal(checkPatch(operation), null))
  }
  const bad: readonly (readonly [PatchOperation, RegExp])[] = [
    [create('+a\nb'), /^line 2 of the diff does not begin with '\+'/],
    [create('+a\n\n+b'), /^line 2/],
    [update(''), /changes no line/],
    [update('@@\n a\n'), /changes no line/],
    [update('@@x\n+a'), /^line 1 of the diff lacks the space/],
    [update('a\n+b'), /^line 1 of the diff begins with none/],
    [update('*** Begin Patch\n*** Update File: a\n+b'), /^line 1 of the diff is a header/],
    [update('+a\n*** End of File\n+b'), /^line 2 of the diff ends the file/],
  ]
  for (const [operation, problem] of bad) {
    test(`is wrong in ${JSON.stringify(operation)}`, () => assert.match(checkPatch(operation) ?? '', problem))
  }
})

test('what a model writes becomes an item of its tool; what it leaves out or fills in beside is settled', () => {
  assert.deepEqual(whole({ type: 'shell' }, '{"commands":["ls"],"timeout_ms":null}'), {
    id: '',
    call_id: 'call_1',
    type: 'shell_call',
    status: 'completed',
    action: { commands: ['ls'], timeout_ms: null, max_output_length: null },
    environment: { type: 'local' },
  })
  const doubled = whole({ type: 'computer' }, '{"actions":[{"type":"double_click","x":1,"y":2,"text":""}]}')
  assert.deepEqual('actions' in doubled && doubled.actions, [{ type: 'double_click', x: 1, y: 2, keys: null }])
  const deleted = whole({ type: 'apply_patch' }, '{"type":"delete_file","path":"a","diff":""}')
  assert.deepEqual('operation' in deleted && deleted.operation, { type: 'delete_file', path: 'a' })
})

test('safety checks of a provider that has the tool stay with their call', () => {
  const checks = [{ id: 'cu_sc_1', code: 'malicious_instructions', message: 'Careful.' }]
  const call = whole(
    { type: 'computer' },
    JSON.stringify({ actions: [{ type: 'wait' }], pending_safety_checks: checks }),
  )
  assert.deepEqual('pending_safety_checks' in call && call.pending_safety_checks, checks)
})

const BROKEN: readonly (readonly [ToolParam, string, RegExp])[] = [
  [{ type: 'shell' }, '', /not a JSON object/],
  [{ type: 'shell' }, '["ls"]', /not a JSON object/],
  [{ type: 'shell' }, '{"commands":"ls"}', /do not fit/],
  [{ type: 'shell' }, '{"commands":[]}', /do not fit/],
  [{ type: 'local_shell' }, '{"command":["ls"],"cwd":"/"}', /do not fit/],
  [{ type: 'apply_patch' }, '{"type":"update_file","path":"a"}', /need a diff/],
  [{ type: 'apply_patch' }, '{"type":"rename_file","path":"a"}', /do not fit/],
  [{ type: 'computer' }, '{"actions":[{"type":"click","x":1,"y":1}]}', /lacks a field/],
  [{ type: 'computer' }, '{"actions":[{"type":"jump"}]}', /do not fit/],
]
for (const [spec, input, problem] of BROKEN) {
  test(`a call of ${spec.type} with ${input || 'nothing'} is none, and says why`, () => {
    const read = whole(spec, input)
    assert.ok(read.type === 'bad-arguments')
    assert.match(read.problem, problem)
  })
}

test('a shell in a container is refused by its field (req 152)', () => {
  const spec = { type: 'shell', environment: { type: 'container_auto' } } as const
  const tool = TOOLS.find((candidate) => candidate.claims(spec))
  assert.throws(
    () => tool?.declare(spec, 'tools[2]'),
    (error: unknown) =>
      error instanceof ApiError && error.status === 400 && error.param === 'tools[2].environment.type',
  )
})

test('skills that lie on the client are told to the model', () => {
  const skills = [{ name: 'pdf', description: 'Reads PDFs.', path: '/skills/pdf' }]
  const spec = { type: 'shell', environment: { type: 'local', skills } } as const
  const [declared] = TOOLS.find((candidate) => candidate.claims(spec))?.declare(spec, 'tools[0]') ?? []
  assert.match(declared?.declaration.description ?? '', /- pdf \(\/skills\/pdf\): Reads PDFs\./)
})
