/** `tool_choice` for every type of tool there is, whoever runs it. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { ApiError } from '../protocol/errors.ts'
import { HOSTED_TOOL_OF_TYPE, HOSTED_TOOLS } from '../protocol/hosted-tools.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ToolChoiceParam, ToolParam, ToolSpec } from '../protocol/tools.ts'
import { createClientTools } from '../tools/client/client-tools.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import type { Tool } from '../tools/tool.ts'

let fixture: EngineFixture | null = null
afterEach(() => fixture?.close())

const PLAIN: ToolParam = { type: 'function', name: 'plain' }
const DOCS: ToolParam = { type: 'mcp', server_label: 'docs', server_url: 'https://mcp.example.com/mcp' }

/** A tool of one kind that this server runs, behind one function that is named like it. */
const ownTool = (kind: string, echo: ToolSpec): Tool => ({
  claims: (spec) => HOSTED_TOOL_OF_TYPE.get(spec.type) === kind,
  echo: () => echo,
  declare: (spec) => {
    const declaration = { type: 'function', name: kind, description: null, parameters: null, strict: false } as const
    return [{ declaration, name: kind, namespace: null, spec }]
  },
  open: () => null,
  // biome-ignore lint/correctness/useYield: nothing is called here
  async *execute() {
    return { type: 'result', output: '' }
  },
})

type Options = { readonly runs: 'here' | 'provider'; readonly request: Partial<CreateResponseRequest> }

/** The first turn that the model is asked, and what the Response says of the choice. */
async function firstTurnOf({ runs, request }: Options) {
  const model = scriptedModel([saying('Done.')], runs === 'provider' ? { hostedTools: HOSTED_TOOLS } : {})
  const own = HOSTED_TOOLS.filter((kind) => kind !== 'mcp').map((kind) => ownTool(kind, { type: 'web_search' }))
  const tools = [...(runs === 'here' ? own : []), ...createClientTools(), createFunctionTool()]
  fixture = await openEngine(model, { tools })
  const run = await fixture.engine.createResponse({ model: 'm', input: 'Go on.', ...request }, fixture.caller())
  const [created] = await readAll(run.events)
  const [turn] = model.turns
  assert.ok(turn && created?.type === 'response.created')
  return { turn, echo: created.response.tool_choice }
}

const HOSTED: readonly (readonly [ToolParam, ToolChoiceParam & { readonly type: string }])[] = [
  [{ type: 'web_search' }, { type: 'web_search' }],
  [{ type: 'web_search_2025_08_26' }, { type: 'web_search' }],
  [{ type: 'web_search_preview' }, { type: 'web_search_preview' }],
  [{ type: 'web_search_preview_2025_03_11' }, { type: 'web_search_preview_2025_03_11' }],
  [{ type: 'file_search', vector_store_ids: ['vs_1'] }, { type: 'file_search' }],
  [{ type: 'code_interpreter' }, { type: 'code_interpreter' }],
  [{ type: 'image_generation' }, { type: 'image_generation' }],
]
const CLIENT: readonly (readonly [ToolParam, ToolChoiceParam & { readonly type: string }, string])[] = [
  [{ type: 'shell' }, { type: 'shell' }, 'shell'],
  [{ type: 'apply_patch' }, { type: 'apply_patch' }, 'apply_patch'],
  [{ type: 'computer' }, { type: 'computer' }, 'computer'],
  [{ type: 'computer' }, { type: 'computer_use' }, 'computer'],
  [
    { type: 'computer_use_preview', environment: 'browser', display_width: 1, display_height: 1 },
    { type: 'computer_use_preview' },
    'computer',
  ],
]

describe('a choice of one tool (req 126)', () => {
  for (const [tool, choice] of HOSTED) {
    const kind = HOSTED_TOOL_OF_TYPE.get(tool.type) ?? ''
    test(`${choice.type} for ${tool.type}, run here, demands its function and no other`, async () => {
      const { turn, echo } = await firstTurnOf({ runs: 'here', request: { tools: [PLAIN, tool], tool_choice: choice } })
      assert.deepEqual(turn.toolChoice, { mode: 'required', allowed: [kind] })
      assert.deepEqual(echo, choice)
    })
    test(`${choice.type} for ${tool.type}, run by the provider, is the provider's to keep`, async () => {
      const { turn } = await firstTurnOf({ runs: 'provider', request: { tools: [PLAIN, tool], tool_choice: choice } })
      assert.deepEqual(turn.toolChoice, { mode: 'required', allowed: [] })
      assert.deepEqual(turn.hosted?.allowed, [choice])
    })
  }
  test('an MCP server, or one tool of it, run by the provider', async () => {
    for (const choice of [
      { type: 'mcp' as const, server_label: 'docs' },
      { type: 'mcp' as const, server_label: 'docs', name: 'find' },
    ]) {
      const { turn } = await firstTurnOf({ runs: 'provider', request: { tools: [PLAIN, DOCS], tool_choice: choice } })
      assert.deepEqual(turn.hosted?.allowed, [choice])
      await fixture?.close()
    }
    fixture = null
  })
  for (const [tool, choice, name] of CLIENT) {
    test(`${choice.type} for ${tool.type} demands its function and no other`, async () => {
      const { turn, echo } = await firstTurnOf({ runs: 'here', request: { tools: [PLAIN, tool], tool_choice: choice } })
      assert.deepEqual(turn.toolChoice, { mode: 'required', allowed: [name] })
      assert.deepEqual(echo, choice)
    })
  }
})

describe('allowed_tools with tools that are no functions (req 127)', () => {
  const plain = { type: 'function', name: 'plain' }
  for (const mode of ['auto', 'required'] as const) {
    for (const [tool, { type }] of HOSTED) {
      const kind = HOSTED_TOOL_OF_TYPE.get(tool.type) ?? ''
      const request: Partial<CreateResponseRequest> = {
        tools: [PLAIN, { type: 'function', name: 'other' }, tool],
        tool_choice: { type: 'allowed_tools', mode, tools: [plain, { type }] },
      }
      test(`${mode}: ${tool.type} run here, beside a function`, async () => {
        const { turn } = await firstTurnOf({ runs: 'here', request })
        assert.deepEqual(turn.toolChoice, { mode, allowed: ['plain', kind] })
        assert.deepEqual(
          turn.tools.map(({ name }) => name),
          ['plain', 'other', kind],
          'all of them are still shown',
        )
      })
      test(`${mode}: ${tool.type} run by the provider, beside a function`, async () => {
        const { turn } = await firstTurnOf({ runs: 'provider', request })
        assert.deepEqual(turn.toolChoice, { mode, allowed: ['plain'] })
        assert.deepEqual(turn.hosted?.allowed, [{ type }])
      })
    }
    for (const [tool, { type }, name] of CLIENT) {
      test(`${mode}: ${type} for ${tool.type}`, async () => {
        const tool_choice = { type: 'allowed_tools' as const, mode, tools: [{ type }] }
        const { turn } = await firstTurnOf({ runs: 'here', request: { tools: [PLAIN, tool], tool_choice } })
        assert.deepEqual(turn.toolChoice, { mode, allowed: [name] })
      })
    }
  }
  test('what is left out of it is left out for the provider too', async () => {
    const tool_choice = { type: 'allowed_tools' as const, mode: 'auto' as const, tools: [plain] }
    const { turn } = await firstTurnOf({
      runs: 'provider',
      request: { tools: [PLAIN, { type: 'web_search' }], tool_choice },
    })
    assert.deepEqual(turn.hosted?.allowed, [])
  })
})

describe('a choice of a tool that is not there is refused (req 128)', () => {
  const absent = [...HOSTED.map(([, choice]) => choice), ...CLIENT.map(([, choice]) => choice)]
  for (const choice of absent) {
    test(choice.type, async () => {
      const refused = (param: string) => (error: unknown) =>
        error instanceof ApiError && error.status === 400 && error.param === param
      const ask = (tool_choice: ToolChoiceParam) =>
        firstTurnOf({ runs: 'here', request: { tools: [PLAIN], tool_choice } })
      await assert.rejects(ask(choice), refused('tool_choice'))
      await fixture?.close()
      const listed = { type: 'allowed_tools' as const, tools: [{ type: choice.type }] }
      await assert.rejects(ask(listed), refused('tool_choice.tools[0]'))
    })
  }
  test('a function named like a tool is not that tool, and the other way round', async () => {
    const tool_choice = { type: 'function' as const, name: 'shell' }
    await assert.rejects(
      firstTurnOf({ runs: 'here', request: { tools: [{ type: 'shell' }], tool_choice } }),
      /Tool choice 'shell' not found/,
    )
  })
})
