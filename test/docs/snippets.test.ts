/** Every command and program that README and the docs show runs, on the demo model, and prints what they say. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { listFiles, ROOT, readSource } from '../hygiene/source-files.ts'
import { type StartedServer, startAntiphon } from '../suites/start-antiphon.ts'
import { baseEnv } from '../suites/start-process.ts'
import { NO_BUBBLEWRAP } from '../support/code-sandbox.ts'
import { extractSnippets, type Snippet } from './extract-snippets.ts'
import { isMarkdownPage } from './pages.ts'
import { runSnippet, type SnippetContext } from './run-snippet.ts'

const snippets = listFiles(ROOT)
  .filter(isMarkdownPage)
  .flatMap((path) => extractSnippets(path, readSource(ROOT, path)))

const nameOf = (snippet: Snippet) => `${snippet.file}:${snippet.line} (${snippet.language})`

describe('the documentation', { skip: snippets.length === 0 ? 'no page shows a program yet' : false }, () => {
  let server: StartedServer
  let context: SnippetContext

  before(async () => {
    server = await startAntiphon()
    context = { env: environmentOf(server), python: process.env.ANTIPHON_DOCS_PYTHON || null, noSandbox: NO_BUBBLEWRAP }
  })
  after(async () => {
    await server?.stop()
  })

  for (const snippet of snippets) {
    test(`runs as shown: ${nameOf(snippet)}`, async (t) => {
      const result = await runSnippet(snippet, context)
      if (result.type === 'skipped') return t.skip(`because: ${result.why}`)
      assert.equal(result.type, 'passed', result.type === 'failed' ? result.why.replaceAll(server.key, '<key>') : '')
    })
  }
})

/** What the pages tell their reader to set. */
const environmentOf = ({ baseUrl, key }: StartedServer): Record<string, string> => ({
  ...baseEnv(),
  PATH: `${dirname(process.execPath)}:${baseEnv().PATH}`,
  BASE_URL: baseUrl.replace(/\/v1$/, ''),
  ANTIPHON_API_KEY: key,
  OPENAI_BASE_URL: baseUrl,
  OPENAI_API_KEY: key,
})
