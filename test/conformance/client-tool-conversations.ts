/** Tools that a client runs and that are no functions: every model calls them, and is told what came of it. */
import type { Conversation, Step } from './conversations.ts'
import type { HeardPart, Reply } from './said.ts'

const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

type Tool = Readonly<Record<string, unknown>>
const says = (...said: Extract<Reply, { says: unknown }>['says']): Reply[] => [{ says: said }]
const called = (call: string, input: unknown): HeardPart => ({ from: 'model', call, input })

/** Two steps: the model calls, the client answers. */
function roundTrip(
  name: string,
  follows: NonNullable<Step['follows']>,
  it: {
    readonly tool: Tool
    readonly call: string
    readonly input: Readonly<Record<string, unknown>>
    readonly shown: string
    readonly output: Readonly<Record<string, unknown>>
    /** Null: providers take it at different places. */
    readonly told: HeardPart | null
  },
): Conversation {
  const store = follows === 'stored'
  return {
    name: `${name}, ${follows}`,
    steps: [
      {
        request: { input: 'Hi', tools: [it.tool], store },
        replies: says({ call: it.call, input: it.input }),
        expect: { output: [it.shown] },
        heard: { choice: 'auto' },
      },
      {
        request: { input: [{ call_id: '#0', ...it.output }], tools: [it.tool], store },
        follows,
        replies: says({ text: 'Done.' }),
        expect: { output: ['text: Done.'] },
        heard: it.told ? { parts: [{ from: 'user', text: 'Hi' }, called(it.call, it.input), it.told] } : {},
      },
    ],
  }
}

const SHELL = {
  tool: { type: 'shell', environment: { type: 'local' } },
  call: 'shell',
  input: { commands: ['ls -l', 'cat "a b"'], timeout_ms: 1000 },
  shown: 'shell_call: {"commands":["ls -l","cat \\"a b\\""],"timeout_ms":1000,"max_output_length":null}',
  output: {
    type: 'shell_call_output',
    max_output_length: null,
    output: [
      { stdout: 'a b\n', stderr: '', outcome: { type: 'exit', exit_code: 0 } },
      { stdout: '', stderr: 'no such file', outcome: { type: 'timeout' } },
    ],
  },
  told: {
    from: 'tool',
    result: 'Exit code: 0\nstdout:\na b\n\n\nIt was stopped: it took too long.\nstderr:\nno such file',
  },
} as const
const LOCAL_SHELL = {
  tool: { type: 'local_shell' },
  call: 'local_shell',
  input: { command: ['ls', '-l'], working_directory: '/tmp', env: { A: '1' } },
  shown: 'local_shell_call: {"type":"exec","command":["ls","-l"],"env":{"A":"1"},"working_directory":"/tmp"}',
  output: { type: 'local_shell_call_output', output: 'total 0' },
  told: { from: 'tool', result: 'total 0' },
} as const
const DIFF = '@@ def f():\n-    return 1\n+    return 2\n'
const APPLY_PATCH = {
  tool: { type: 'apply_patch' },
  call: 'apply_patch',
  input: { type: 'update_file', path: 'a.py', diff: DIFF },
  shown: `apply_patch_call: ${JSON.stringify({ type: 'update_file', path: 'a.py', diff: DIFF })}`,
  output: { type: 'apply_patch_call_output', status: 'failed', output: 'no such line' },
  told: { from: 'tool', result: 'The patch was not applied.\nno such line' },
} as const
const CLICK = { type: 'click', button: 'left', x: 3, y: 4 }
const SCREENSHOT = { type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: PNG } }
const COMPUTER = {
  tool: { type: 'computer' },
  call: 'computer',
  input: { actions: [CLICK, { type: 'type', text: 'hi' }] },
  shown: `computer_call: ${JSON.stringify([CLICK, { type: 'type', text: 'hi' }])}`,
  output: SCREENSHOT,
  told: null,
} as const
const PREVIEW = {
  ...COMPUTER,
  tool: { type: 'computer_use_preview', environment: 'browser', display_width: 1024, display_height: 768 },
  input: { action: CLICK },
  shown: `computer_call: ${JSON.stringify(CLICK)}`,
} as const

const COMPLAINT =
  "Error: the tool was not run, because of its arguments: line 1 of the diff begins with none of ' ', '+', '-' and '@@'. " +
  'Call it again with right ones.'

export const CLIENT_TOOL_CONVERSATIONS: readonly Conversation[] = [
  ...(['stored', 'stateless'] as const).flatMap((follows) => [
    roundTrip('a shell', follows, SHELL),
    roundTrip('a local shell', follows, LOCAL_SHELL),
    roundTrip('a patch', follows, APPLY_PATCH),
    roundTrip('a computer', follows, COMPUTER),
    roundTrip('a computer of the preview', follows, PREVIEW),
  ]),
  {
    name: 'a patch that is none, which the model hears of and repairs',
    steps: [
      {
        request: { input: 'Hi', tools: [APPLY_PATCH.tool] },
        replies: [
          { says: [{ call: 'apply_patch', input: { ...APPLY_PATCH.input, diff: 'return 2' } }] },
          { says: [{ call: 'apply_patch', input: APPLY_PATCH.input }] },
        ],
        expect: { output: [APPLY_PATCH.shown] },
        heard: {
          parts: [
            { from: 'user', text: 'Hi' },
            called('apply_patch', { ...APPLY_PATCH.input, diff: 'return 2' }),
            { from: 'tool', result: COMPLAINT },
          ],
        },
      },
    ],
  },
  {
    name: 'a tool that is chosen',
    steps: [
      {
        request: { input: 'Hi', tools: [SHELL.tool, APPLY_PATCH.tool], tool_choice: { type: 'shell' } },
        replies: says({ call: 'shell', input: SHELL.input }),
        expect: { output: [SHELL.shown] },
        heard: { choice: { only: ['shell'] } },
        needs: ['tool_choice'],
      },
    ],
  },
]
