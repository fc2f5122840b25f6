/**
 * The real Codex CLI does a task with a tool on a chat-only engine, through Antiphon, in both ways people set it up.
 * Not part of `npm test`: Codex is 400 MB. Run it with `node --test test/suites/codex.ts`.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type AgentUpstream, FINAL_TEXT, startAgentUpstream } from './agent-upstream.ts'
import { installCommand, scratchFolder } from './cached-install.ts'
import { type StartedServer, startAntiphon } from './start-antiphon.ts'
import { baseEnv, startProcess } from './start-process.ts'

const CODEX = { name: '@openai/codex', version: '0.169.0', command: 'codex' }
const RUN_MS = 60_000
const MODEL = 'engine/coder'
const CONTENT = 'written by the agent'

/** What Codex must be told of a model that it does not know; without it, it warns and guesses. */
const CATALOGUE_ENTRY = {
  slug: MODEL,
  display_name: MODEL,
  description: 'a chat-only engine',
  default_reasoning_level: 'medium',
  supported_reasoning_levels: [{ effort: 'medium', description: 'balanced' }],
  shell_type: 'shell_command',
  visibility: 'list',
  supported_in_api: true,
  priority: 0,
  upgrade: null,
  base_instructions: 'You are a coding agent.',
  supports_reasoning_summaries: false,
  support_verbosity: false,
  default_verbosity: null,
  apply_patch_tool_type: null,
  truncation_policy: { mode: 'tokens', limit: 10_000 },
  supports_parallel_tool_calls: false,
  context_window: 128_000,
  experimental_supported_tools: [],
}

/** Inside its sandbox Codex offers an offline web search; with full access a live one, which is refused by default. */
const SANDBOX = 'workspace-write'

const CUSTOM_PROVIDER = [
  'model_provider = "antiphon"',
  '[model_providers.antiphon]',
  'name = "antiphon"',
  'env_key = "ANTIPHON_API_KEY"',
  'wire_api = "responses"',
]

/** Trouble as Codex reports it: retries, guesses, refusals. */
const TROUBLE = /warning|reconnecting|retrying|stream disconnected|\berror\b/i
/** About the machine, not about the server: the sandbox that Codex brings is as good. */
const NO_BUBBLEWRAP = /warning: Codex could not find bubblewrap on PATH/

describe('codex', () => {
  let codex: string
  let upstream: AgentUpstream
  let server: StartedServer

  before(async () => {
    codex = installCommand(CODEX.name, CODEX.version, CODEX.command)
    upstream = await startAgentUpstream(`printf '${CONTENT}' > result.txt`)
    const provider = `{ type: openai_compatible, api_base: "${upstream.baseUrl}", api_key: none }`
    server = await startAntiphon({ config: `providers: { engine: ${provider} }\n` })
  })
  after(async () => {
    await server?.stop()
    await upstream?.close()
  })

  test('does the task over HTTP as a custom provider with its own key variable', async (t) => {
    const config = [...CUSTOM_PROVIDER, `base_url = "${server.baseUrl}"`]
    const run = await runCodex(config, { ANTIPHON_API_KEY: server.key })
    t.diagnostic(`codex exec took ${run.elapsedMs.toFixed(0)} ms`)
    assertDone(run)
    assert.deepEqual(run.trouble, [])
    assertTransport(run.requests, 'POST')
  })

  test('does the task over a WebSocket as a custom provider that has them', async (t) => {
    const config = [...CUSTOM_PROVIDER, `base_url = "${server.baseUrl}"`, 'supports_websockets = true']
    const run = await runCodex(config, { ANTIPHON_API_KEY: server.key })
    t.diagnostic(`codex exec took ${run.elapsedMs.toFixed(0)} ms`)
    assertDone(run)
    assert.deepEqual(run.trouble, [])
    assertTransport(run.requests, 'WS')
  })

  test('does the task over a WebSocket as the built-in provider with another base URL', async (t) => {
    const config = [`openai_base_url = "${server.baseUrl}"`]
    const run = await runCodex(config, { OPENAI_API_KEY: server.key, CODEX_API_KEY: server.key })
    t.diagnostic(`codex exec took ${run.elapsedMs.toFixed(0)} ms`)
    assertDone(run)
    assert.deepEqual(run.trouble, [])
    assertTransport(run.requests, 'WS')
  })

  test('offered the engine function tools only, and its own call and result came back to it', () => {
    assert.ok(upstream.calls.length >= 6)
    const second = upstream.calls[1]
    assert.equal(second?.messages.at(-1)?.role, 'tool')
    assert.match(JSON.stringify(second?.messages), /call_shell/)
  })

  async function runCodex(config: readonly string[], keys: Readonly<Record<string, string>>) {
    const folder = scratchFolder('codex')
    const [home, workspace] = [join(folder, 'home'), join(folder, 'workspace')]
    mkdirSync(home)
    mkdirSync(workspace)
    const catalogue = join(home, 'models.json')
    writeFileSync(catalogue, JSON.stringify({ models: [CATALOGUE_ENTRY] }))
    const shared = [`model = "${MODEL}"`, `model_catalog_json = "${catalogue}"`]
    writeFileSync(join(home, 'config.toml'), [...shared, ...config].join('\n'))
    const args = ['exec', '--skip-git-repo-check', '--sandbox', SANDBOX, 'Write the file.']
    const begin = performance.now()
    const logged = server.process.output().length
    const started = startProcess(codex, args, {
      cwd: workspace,
      env: { ...baseEnv(), HOME: home, CODEX_HOME: home, ...keys },
    })
    const timer = setTimeout(() => void started.stop(), RUN_MS)
    const code = await started.exited
    clearTimeout(timer)
    const output = started.output()
    const elapsedMs = performance.now() - begin
    const file = readIfThere(join(workspace, 'result.txt'))
    rmSync(folder, { recursive: true, force: true })
    const requests = requestsIn(server.process.output().slice(logged))
    return { code, output, elapsedMs, file, requests, trouble: troubleIn(output) }
  }

  function assertDone(run: { readonly code: number; readonly output: string; readonly file: string | null }): void {
    assert.equal(run.code, 0, run.output)
    assert.equal(run.file, CONTENT, run.output)
    assert.match(run.output, new RegExp(FINAL_TEXT))
  }
})

const troubleIn = (output: string): string[] =>
  output.split('\n').filter((line) => TROUBLE.test(line) && !NO_BUBBLEWRAP.test(line))

/** Method and status of the create requests in the server's log. */
const requestsIn = (log: string): string[] =>
  [...log.matchAll(/"method":"([A-Z]+)","route":"\/v1\/responses","status":(\d+)/g)].map(
    ([, method, status]) => `${method} ${status}`,
  )

/** All turns went one way, and none was refused. */
function assertTransport(requests: readonly string[], method: 'WS' | 'POST'): void {
  const turns = requests.filter((line) => line !== 'GET 101')
  assert.ok(turns.length >= 2, requests.join(', '))
  assert.deepEqual([...new Set(turns)], [`${method} 200`])
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
