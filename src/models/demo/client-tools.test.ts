import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClientTools } from '../../tools/client/client-tools.ts'
import type { ToolDeclaration } from '../model.ts'
import { asksForClientTool, clientToolInput } from './client-tools.ts'

const TOOLS = createClientTools()
function declared(type: 'shell' | 'local_shell' | 'apply_patch' | 'computer'): ToolDeclaration {
  const spec = { type }
  const [found] = TOOLS.find((tool) => tool.claims(spec))?.declare(spec, 'tools[0]') ?? []
  assert.ok(found)
  return found.declaration
}
const SEARCH: ToolDeclaration = {
  type: 'function',
  name: 'tool_search',
  description: null,
  parameters: { type: 'object', properties: { query: { type: 'string' } } },
  strict: false,
}

describe('plain words ask for tools that a client runs', () => {
  const cases: readonly (readonly [ToolDeclaration, string, object])[] = [
    [declared('shell'), 'Run `ls -l` and `pwd`, please.', { commands: ['ls -l', 'pwd'] }],
    [declared('shell'), 'Please run the command: echo hi', { commands: ['echo hi'] }],
    [declared('shell'), 'Execute uname -a in the shell.', { commands: ['uname -a'] }],
    [declared('local_shell'), 'Run `ls`.', { command: ['bash', '-lc', 'ls'] }],
    [
      declared('apply_patch'),
      'Create a file notes.txt with "hello\nworld"',
      { type: 'create_file', path: 'notes.txt', diff: '+hello\n+world\n' },
    ],
    [
      declared('apply_patch'),
      'In src/a.py replace `return 1` with `return 2`.',
      { type: 'update_file', path: 'src/a.py', diff: '@@\n-return 1\n+return 2\n' },
    ],
    [declared('apply_patch'), 'Delete the file old.txt.', { type: 'delete_file', path: 'old.txt' }],
    [declared('computer'), 'Take a screenshot.', { actions: [{ type: 'screenshot' }] }],
    [declared('computer'), 'Click at 10, 20.', { actions: [{ type: 'click', button: 'left', x: 10, y: 20 }] }],
    [declared('computer'), 'Type "hello".', { actions: [{ type: 'type', text: 'hello' }] }],
    [declared('computer'), 'Press ctrl+c.', { actions: [{ type: 'keypress', keys: ['CTRL', 'C'] }] }],
    [declared('computer'), 'Scroll down.', { actions: [{ type: 'scroll', x: 0, y: 0, scroll_x: 0, scroll_y: 300 }] }],
    [SEARCH, 'Find a tool that lists orders.', { query: 'lists orders' }],
  ]
  for (const [tool, text, input] of cases) {
    test(`${tool.name}: ${text}`, () => {
      assert.ok(asksForClientTool(tool, text))
      assert.deepEqual(clientToolInput(tool, text), input)
    })
  }

  test('what is not about a tool asks for none, and one that is forced does something harmless', () => {
    for (const type of ['shell', 'local_shell', 'apply_patch', 'computer'] as const) {
      assert.ok(!asksForClientTool(declared(type), 'What is the capital of France?'))
      const input = clientToolInput(declared(type), 'Go on.')
      const spec = { type }
      const tool = TOOLS.find((it) => it.claims(spec))
      const [of] = tool?.declare(spec, 'tools[0]') ?? []
      assert.ok(of)
      assert.notEqual(
        tool?.whole?.({ itemId: '', callId: 'c', declared: of, at: 0 }, JSON.stringify(input))?.type,
        'bad-arguments',
      )
    }
  })

  test('arguments that are written out are taken at their word', () => {
    assert.equal(clientToolInput(declared('shell'), 'call shell with {"commands":["ls"]}'), null)
  })
})
