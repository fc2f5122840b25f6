import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { familyOf } from './family.ts'

/** thinking, sampling, forced tools, system messages, structured output, bound thinking. */
const CASES: readonly [string, string][] = [
  ['claude-opus-5-5', 'always none - system schema bound'],
  ['claude-fable-5-1', 'always none - system schema bound'],
  ['claude-mythos-5', 'always none forced system schema -'],
  ['claude-opus-5', 'on none forced system schema -'],
  ['claude-sonnet-5-5', 'on none - - schema bound'],
  ['claude-sonnet-5', 'on none forced - schema -'],
  ['claude-haiku-5-5', 'on none forced - schema bound'],
  ['claude-opus-4-8', 'off none forced system schema -'],
  ['claude-opus-4-7', 'off none forced - schema -'],
  ['claude-sonnet-4-6', 'off one forced - schema -'],
  ['claude-opus-4-5-20251101', 'budget one forced - schema -'],
  ['claude-haiku-4-5', 'budget one forced - schema -'],
  ['claude-opus-4-1-20250805', 'budget one forced - - -'],
  ['claude-sonnet-4-20250514', 'budget any forced - - -'],
  ['claude-3-7-sonnet-latest', 'budget any forced - - -'],
  ['claude-3-5-haiku-20241022', 'none any forced - - -'],
  ['us.anthropic.claude-opus-4-5-20251101-v1:0', 'budget one forced - schema -'],
  ['anthropic/claude-opus-4.8', 'off none forced system schema -'],
  ['claude-opus-4-8@20260528', 'off none forced system schema -'],
  ['claude-something-9', 'on any forced - schema -'],
  ['minimax-m2', 'budget any forced - - -'],
]

describe('the generation of a model', () => {
  for (const [name, expected] of CASES) {
    it(`${name}: ${expected}`, () => {
      const { thinking, sampling, forcedTools, systemMessages, structuredOutput, boundThinking } = familyOf(name)
      const flags = [
        forcedTools && 'forced',
        systemMessages && 'system',
        structuredOutput && 'schema',
        boundThinking && 'bound',
      ]
      assert.equal([thinking, sampling, ...flags.map((flag) => flag || '-')].join(' '), expected)
    })
  }
})
