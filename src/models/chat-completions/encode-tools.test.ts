import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ModelTurn, ToolDeclaration } from '../model.ts'
import { encodeTools } from './encode-tools.ts'
import { type Quirks, withQuirks } from './quirks.ts'

const fn = (name: string, more: Partial<Extract<ToolDeclaration, { type: 'function' }>> = {}): ToolDeclaration => ({
  type: 'function',
  name,
  description: null,
  parameters: { type: 'object' },
  strict: false,
  ...more,
})
const custom = (name: string): ToolDeclaration => ({
  type: 'custom',
  name,
  description: 'D',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' },
})
const sent = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })
const named = (name: string) => ({ type: 'function', function: { name } })
const ALL = [fn('a'), fn('b')]

type Case = {
  readonly title: string
  readonly tools?: readonly ToolDeclaration[]
  readonly mode?: ModelTurn['toolChoice']['mode']
  readonly allowed?: readonly string[]
  readonly parallel?: boolean
  readonly quirks?: Partial<Quirks>
  readonly expected: unknown
}

const CASES: readonly Case[] = [
  {
    title: 'sends nothing at all without tools, whatever else was asked',
    tools: [],
    mode: 'required',
    parallel: false,
    expected: {},
  },
  { title: 'leaves defaults out', expected: { tools: [sent('a'), sent('b')] } },
  {
    title: 'says when calls must not be parallel',
    parallel: false,
    expected: { tools: [sent('a'), sent('b')], parallel_tool_calls: false },
  },
  {
    title: 'but not to a provider that has no such field',
    parallel: false,
    quirks: { parallelToolCalls: false },
    expected: { tools: [sent('a'), sent('b')] },
  },
  {
    title: 'keeps the tools under none',
    mode: 'none',
    expected: { tools: [sent('a'), sent('b')], tool_choice: 'none' },
  },
  {
    title: 'leaves the tools out under none where choices are not heeded',
    mode: 'none',
    quirks: { toolChoice: false },
    expected: {},
  },
  { title: 'sends required', mode: 'required', expected: { tools: [sent('a'), sent('b')], tool_choice: 'required' } },
  {
    title: 'names the only tool that is required',
    mode: 'required',
    allowed: ['b'],
    expected: { tools: [sent('a'), sent('b')], tool_choice: named('b') },
  },
  {
    title: 'filters the tools for a choice the provider cannot say',
    mode: 'auto',
    allowed: ['b'],
    expected: { tools: [sent('b')] },
  },
  {
    title: 'filters and requires',
    tools: [...ALL, fn('c')],
    mode: 'required',
    allowed: ['b', 'a'],
    expected: { tools: [sent('a'), sent('b')], tool_choice: 'required' },
  },
  {
    title: 'sends the allowed tools as such where that is known',
    mode: 'auto',
    allowed: ['b'],
    quirks: { allowedTools: true },
    expected: {
      tools: [sent('a'), sent('b')],
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named('b')] } },
    },
  },
  {
    title: 'allows nothing when nothing of what is allowed exists',
    mode: 'auto',
    allowed: ['z'],
    quirks: { allowedTools: true },
    expected: { tools: [sent('a'), sent('b')], tool_choice: 'none' },
  },
  {
    title: 'filters by name where choices are not heeded',
    mode: 'required',
    allowed: ['a'],
    quirks: { toolChoice: false },
    expected: { tools: [sent('a')] },
  },
  {
    title: 'sends strict only when it is true, and a schema for functions without parameters',
    tools: [fn('a', { strict: true, description: 'D', parameters: null })],
    expected: {
      tools: [
        {
          type: 'function',
          function: { name: 'a', description: 'D', parameters: { type: 'object', properties: {} }, strict: true },
        },
      ],
    },
  },
  {
    title: 'sends custom tools with their grammar where they are known',
    tools: [custom('c')],
    mode: 'required',
    allowed: ['c'],
    quirks: { customTools: true },
    expected: {
      tools: [
        {
          type: 'custom',
          custom: {
            name: 'c',
            description: 'D',
            format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } },
          },
        },
      ],
      tool_choice: { type: 'custom', custom: { name: 'c' } },
    },
  },
]

describe('encode tools', () => {
  for (const { title, tools = ALL, mode = 'auto', allowed = null, parallel = true, quirks = {}, expected } of CASES) {
    it(title, () => {
      const turn = { tools, toolChoice: { mode, allowed }, parallelToolCalls: parallel }
      assert.deepEqual(encodeTools(turn, withQuirks(quirks)), expected)
    })
  }
  it('refuses custom tools where there are none', () => {
    const turn = { tools: [custom('c')], toolChoice: { mode: 'auto', allowed: null }, parallelToolCalls: true } as const
    assert.throws(() => encodeTools(turn, withQuirks()), { kind: 'invalid_request', param: 'tools' })
  })
})
