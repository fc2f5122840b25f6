import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { extractSnippets } from './extract-snippets.ts'
import { whyUnlike } from './match-output.ts'
import { runSnippet } from './run-snippet.ts'

const fence = (info: string, content: string) => `\`\`\`${info}\n${content}\n\`\`\`\n`
const context = { env: { PATH: process.env.PATH ?? '' }, python: null, noSandbox: false as const }
const only = (markdown: string) => {
  const [snippet, ...more] = extractSnippets('page.md', markdown)
  assert.ok(snippet !== undefined && more.length === 0)
  return snippet
}

describe('snippets of a page', () => {
  test('are the blocks in a language that runs, with their line and what follows them', () => {
    const page = `# Title\n\n${fence('sh', 'echo hi')}\nprints\n\n${fence('text expect', 'hi')}${fence('yaml', 'a: 1')}`
    const snippet = only(page)
    assert.equal(snippet.line, 3)
    assert.equal(snippet.code, 'echo hi')
    assert.deepEqual(snippet.expected, { language: 'text', content: 'hi', line: 9 })
  })

  test('in a list lose the indent of their fence', () => {
    assert.equal(only('- x\n\n  ```js\n  if (1) {\n    go()\n  }\n  ```\n').code, 'if (1) {\n  go()\n}')
  })

  test('that are not run must say why', () => {
    assert.throws(() => extractSnippets('page.md', fence('sh no-run', 'npm ci')), /page\.md:1: say why it is not run/)
    assert.equal(only(fence('sh no-run: installs packages', 'npm ci')).notRun, 'installs packages')
  })

  test('pass when they end with 0 and print what is expected', async () => {
    const good = only(fence('sh', 'printf "a 1\\nb 2\\n"') + fence('text expect', 'a …\nb …'))
    assert.deepEqual(await runSnippet(good, context), { type: 'passed' })
    const program = only(fence('ts', 'const n: number = 2\nconsole.log(n)') + fence('text expect', '2'))
    assert.deepEqual(await runSnippet(program, context), { type: 'passed' })
  })

  test('fail by their exit code, also in the middle, and by other output', async () => {
    const failing = await runSnippet(only(fence('sh', 'false\necho on')), context)
    assert.equal(failing.type, 'failed')
    const other = await runSnippet(only(fence('sh', 'echo a') + fence('text expect', 'b')), context)
    assert.match(other.type === 'failed' ? other.why : '', /the output lacks "b"/)
  })

  test('that need a sandbox are skipped, visibly, where there is none', async () => {
    const snippet = only(fence('sh needs-sandbox', 'true'))
    assert.deepEqual(await runSnippet(snippet, context), { type: 'passed' })
    const result = await runSnippet(snippet, { ...context, noSandbox: 'bubblewrap is not installed' })
    assert.deepEqual(result, { type: 'skipped', why: 'bubblewrap is not installed' })
  })

  test('in Python are skipped, visibly, where no Python was given', async () => {
    const result = await runSnippet(only(fence('python', 'print(1)')), context)
    assert.match(result.type === 'skipped' ? result.why : '', /no Python/)
  })
})

describe('expected JSON', () => {
  const unlike = (output: unknown, expected: unknown) =>
    whyUnlike(JSON.stringify(output), { language: 'json', content: JSON.stringify(expected), line: 1 })

  test('fits when its keys are there and its words are the same', () => {
    const output = {
      id: 'resp_0123456789',
      status: 'completed',
      created_at: 7,
      more: true,
      output: [{ type: 'message' }],
    }
    const expected = { id: 'resp_abcdef', status: 'completed', created_at: 1, output: [{ type: 'message' }] }
    assert.equal(unlike(output, expected), null)
  })

  test('names the place of the first difference', () => {
    assert.equal(unlike({ a: { b: 'x' } }, { a: { b: 'y' } }), '$.a.b is "x", not "y"')
    assert.equal(unlike({ a: [] }, { a: [{}] }), '$.a[0] is missing')
    assert.equal(unlike({}, { a: null }), '$.a is missing')
  })
})
