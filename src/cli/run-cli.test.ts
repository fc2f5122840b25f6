import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createScriptedModel } from '../../test/support/decorated-models.ts'
import { PROVIDER_CATALOG } from '../app/built-in-providers.ts'
import { openBackup } from '../app/open-backup.ts'
import { openFiles } from '../app/open-files.ts'
import { openPrune } from '../app/open-prune.ts'
import { openPull } from '../app/open-pull.ts'
import { openUsage } from '../app/open-usage.ts'
import { openVectorStores } from '../app/open-vector-stores.ts'
import { createKeyRing } from '../auth/key-ring.ts'
import { rotateSealingKeys } from '../auth/sealing-keys.ts'
import { loadPepper, saveFirstKey } from '../auth/secret-files.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { systemClock } from '../lib/clock.ts'
import type { DeploymentEntry } from '../models/catalog.ts'
import { ledgerOf } from '../models/overridden-fields.ts'
import { createSqliteStore } from '../store/sql/sqlite/sqlite-store.ts'
import { record, usageRow } from '../store/store-fixtures.contract.ts'
import type { App, AppModule, ModelOverview, ProbeLine } from './app-interface.ts'
import type { Host } from './host.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-cli-'))
after(() => rmSync(folder, { recursive: true }))

const OVERVIEW: ModelOverview = {
  providers: [
    { name: 'ollama', state: 'ready', source: '127.0.0.1:11434', modelCount: 5, examples: ['a', 'b', 'c'], note: null },
    { name: 'openai', state: 'off', source: '', modelCount: null, examples: [], note: 'no key: set OPENAI_API_KEY' },
  ],
  models: [
    {
      id: 'evil\u001b[2J',
      created: 1,
      ownedBy: 'ollama',
      capabilities: {
        contextWindow: 4_096,
        maxOutputTokens: null,
        imageInput: false,
        fileInput: false,
        functionTools: true,
        customTools: false,
        structuredOutput: true,
        reasoning: false,
        logprobs: false,
      },
    },
  ],
  defaultModel: 'a',
}

const TESTED: DeploymentEntry = {
  provider: 'a',
  upstreamModel: 'big',
  testedAt: null,
  fields: ledgerOf(createScriptedModel([])),
}
const PROBED: readonly ProbeLine[] = [
  { name: 'text', field: null, outcome: 'works', note: null },
  { name: 'stop', field: 'stop', outcome: 'refused', note: 'Unknown field\u0007.' },
]

type Setup = { readonly env?: Record<string, string>; readonly firstKey?: string; readonly appFails?: Error }

/** A command line on a data directory of its own, with a real store, and an app that is a bare HTTP server. */
function setUp({ env = {}, firstKey, appFails }: Setup = {}) {
  const home = mkdtempSync(join(folder, 'home-'))
  const written = { out: '', err: '', ended: [] as string[] }
  const host: Host = {
    env,
    cwd: home,
    home,
    version: '1.2.3',
    stdout: { write: (text) => (written.out += text), isTerminal: false },
    stderr: { write: (text) => (written.err += text), isTerminal: false },
    providers: PROVIDER_CATALOG,
    now: () => Date.now(),
    async loadApp() {
      if (appFails !== undefined) throw appFails
      return createAppModule(written.ended, firstKey ?? null)
    },
    waitForStop: () => Promise.resolve(),
    limitShutdown: (ms) => written.ended.push(`limit ${ms}`),
  }
  return { home, written, run: (...args: string[]) => runCli(args, host) }
}

function createAppModule(ended: string[], firstKey: string | null): AppModule {
  return {
    createApp: async (config) => {
      if (firstKey !== null) {
        loadPepper(config.storage.dataDir)
        saveFirstKey(config.storage.dataDir, firstKey)
      }
      return createBareApp(config, ended, firstKey)
    },
    async openKeys({ storage }) {
      const pepper = loadPepper(storage.dataDir)
      const store = await createSqliteStore({ path: storage.databasePath, clock: systemClock })
      const ring = createKeyRing(store.keys, pepper, systemClock)
      return { ...ring, [Symbol.asyncDispose]: () => store.close() }
    },
    rotateSealing: ({ storage }) => rotateSealingKeys(storage.dataDir),
    openBackup: async (config) => openBackup(config),
    openPrune,
    openPull: async (...args) => openPull(...args),
    openFiles: async (...args) => openFiles(...args),
    openVectorStores: async (...args) => openVectorStores(...args),
    openUsage,
    openSandboxWorker: async ({ codeInterpreter: { token } }) =>
      token === null
        ? null
        : {
            listen: async (host, port) => ({ url: `http://${host}:${port}` }),
            [Symbol.asyncDispose]: async () => void ended.push('worker closed'),
          },
    describeModels: async () => OVERVIEW,
    openModelTester: async () => ({
      deployments: async (name) => (name === 'nobody' ? [] : [TESTED]),
      test: async (_, { onResult }) => {
        for (const result of PROBED) onResult(result)
        return {
          results: PROBED,
          fields: { stop: 'emulated' },
          saved: PROBED.every(({ outcome }) => outcome !== 'failed'),
        }
      },
      [Symbol.asyncDispose]: async () => {
        ended.push('tester closed')
      },
    }),
  }
}

function createBareApp({ server: { host, port } }: ResolvedConfig, ended: string[], firstKey: string | null): App {
  const server = createServer()
  return {
    summarize: async () => ({ ...OVERVIEW, firstKey, warnings: ['a warning'] }),
    listen: async () => ({ url: await listenOn(server, host, port) }),
    drain: async () => void ended.push('drained'),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
      ended.push('disposed')
    },
  }
}

const listenOn = (server: Server, host: string, port: number) =>
  new Promise<string>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      resolve(`http://${host}:${address.port}`)
    })
  })

test('the start screen ends with a READY line and shows providers, the first key and a curl line with it', async () => {
  const { written, run } = setUp({ firstKey: 'sk-antiphon-first' })
  assert.equal(await run('serve', '--port', '0'), 0)
  assert.match(written.out, /antiphon 1\.2\.3 {3}data ~\/\.antiphon\n/)
  assert.match(written.out, /providers {3}✓ ollama +127\.0\.0\.1:11434 +5 models +a, b, c, …\n/)
  assert.match(written.out, /– openai .*no key: set OPENAI_API_KEY\n/)
  assert.match(written.out, /API key {5}sk-antiphon-first\n.*shown only this once; kept in ~\/\.antiphon\/api-key/)
  assert.match(
    written.out,
    /curl http:\/\/127\.0\.0\.1:\d+\/v1\/responses .*-H "authorization: Bearer sk-antiphon-first"/,
  )
  assert.match(written.out, /warning: a warning\n/)
  assert.match(written.out, /\nREADY http:\/\/127\.0\.0\.1:\d+\n$/)
  assert.ok(!written.out.includes('\u001b'), 'no colour without a terminal')
  assert.deepEqual(written.ended, ['limit 35000', 'drained', 'disposed'])
})

test('later starts show no key, and a curl line that reads it from its file', async () => {
  const { written, run, home } = setUp()
  loadPepper(join(home, '.antiphon'))
  saveFirstKey(join(home, '.antiphon'), 'sk-antiphon-first')
  assert.equal(await run('--port', '0'), 0)
  assert.ok(!written.out.includes('sk-antiphon-first'))
  assert.ok(written.out.includes(`-H "authorization: Bearer $(cat ${home}/.antiphon/api-key)"`))
})

test('a key from the environment is never printed', async () => {
  const { written, run } = setUp({ env: { ANTIPHON_API_KEY: 'my-secret-key' } })
  assert.equal(await run('--port', '0'), 0)
  assert.ok(!(written.out + written.err).includes('my-secret-key'))
  assert.match(written.out, /Bearer \$ANTIPHON_API_KEY"/)
})

test('without authentication the screen warns at each start and the curl line has no key', async () => {
  const { written, run } = setUp()
  assert.equal(await run('--no-auth', '--port', '0'), 0)
  assert.match(written.out, /WARNING: --no-auth/)
  assert.ok(!written.out.includes('Bearer'))
})

test('--no-auth is refused beyond loopback', async () => {
  const { written, run } = setUp()
  assert.equal(await run('--no-auth', '--host', '0.0.0.0'), 2)
  assert.match(written.err, /--no-auth is allowed only on loopback, not on 0\.0\.0\.0/)
})

test('a chosen port that is busy is an error', async () => {
  const blocker = createServer()
  const port = new URL(await listenOn(blocker, '127.0.0.1', 0)).port
  const { written, run } = setUp()
  assert.equal(await run('--port', port), 1)
  assert.equal(
    written.err,
    `antiphon: the port ${port} of 127.0.0.1 is in use; stop what uses it, or choose another with --port\n`,
  )
  blocker.close()
})

test('a busy default port gives way to a free one, and the screen says so', async (t) => {
  const blocker = createServer()
  const taken = await listenOn(blocker, '127.0.0.1', 8484).catch(() => null)
  if (taken === null) t.diagnostic('something else uses the default port')
  const { written, run } = setUp()
  assert.equal(await run(), 0)
  const port = /READY http:\/\/127\.0\.0\.1:(\d+)/.exec(written.out)?.[1]
  assert.ok(Number(port) > 8484, String(port))
  assert.match(written.out, /port 8484 is in use, so this server took 84\d\d/)
  blocker.close()
})

test('a host that is no address of this computer is told plainly', async () => {
  const { written, run } = setUp()
  assert.equal(await run('--host', '192.0.2.1', '--port', '9999'), 1)
  assert.match(written.err, /192\.0\.2\.1 is no address of this computer/)
})

test('a backup is one file that a restore makes a new data directory of, and a move wants an address', async () => {
  const { home, written, run } = setUp({ env: { ANTIPHON_DATA_DIR: 'data' } })
  assert.equal(await run('backup', 'a.backup'), 1)
  assert.match(written.err, /There is no database at .*antiphon\.db yet/)
  await run('keys', 'create')
  assert.equal(await run('backup', 'a.backup', '--json'), 0)
  assert.ok(written.out.includes(`"file":"${join(home, 'a.backup')}"`))
  assert.equal(await run('backup', 'a.backup'), 1)
  assert.match(written.err, /a\.backup is there already/)
  assert.equal(await run('restore', 'a.backup'), 1)
  assert.match(written.err, /is not empty/)
  assert.equal(await run('restore', 'a.backup', '--data-dir', 'other'), 0)
  assert.ok(existsSync(join(home, 'other', 'pepper')))
  for (const wrong of [[], ['--to', 'mysql://db/x']]) assert.equal(await run('migrate', ...wrong), 2)
})

test('an unforeseen failure of a command is a fault of ours, one with a known name is one line', async () => {
  const locked = Object.assign(new Error('The data directory is in use.'), { name: 'DataDirLocked' })
  const first = setUp({ appFails: locked })
  assert.equal(await first.run('models'), 3)
  assert.equal(first.written.err, 'antiphon: The data directory is in use.\n')
  const second = setUp({ appFails: new Error('broken') })
  assert.equal(await second.run('models'), 70)
  assert.match(second.written.err, /^antiphon: Error: broken\n {4}at /)
})

test('a key is made, listed and revoked; only the making shows it', async () => {
  const { written, run } = setUp()
  assert.equal(await run('keys', 'create', '--name', 'ci', '--scopes', 'responses,read', '--expires', '90d'), 0)
  const key = written.out.trim()
  assert.match(key, /^sk-antiphon-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/)
  assert.match(written.err, /Made the key \w{12} "ci" \(responses, read; expires \d{4}-/)
  written.out = ''
  assert.equal(await run('keys', 'list'), 0)
  assert.match(written.out, /^ID +NAME +PROJECT +SCOPES .*\n\w{12} +ci +default +responses,read .* active\n$/)
  written.out = ''
  assert.equal(await run('keys', 'revoke', key), 0)
  assert.match(written.out, /^revoked \w{12}\n$/)
  assert.equal(await run('keys', 'revoke', key), 1)
  written.out = ''
  assert.equal(await run('keys', 'list', '--json'), 0)
  const listed: unknown = JSON.parse(written.out)
  assert.ok(typeof listed === 'object' && listed !== null && 'keys' in listed && Array.isArray(listed.keys))
  assert.equal(typeof listed.keys[0].revoked_at, 'number')
  const later = written.out + written.err
  assert.ok(!later.includes(key) && !later.includes(key.slice(-49)))
  assert.ok(!later.includes('digest'))
})

test('a key of a project without settings is made with a note, where projects have settings', async () => {
  const { written, run, home } = setUp()
  assert.equal(await run('keys', 'create', '--project', 'clinc'), 0)
  assert.doesNotMatch(written.err, /Note/)
  writeFileSync(join(home, 'antiphon.yaml'), 'projects: { clinic: { zero_retention: true } }')
  for (const project of ['clinic', 'default']) assert.equal(await run('keys', 'create', '--project', project), 0)
  assert.doesNotMatch(written.err, /Note/)
  assert.equal(await run('keys', 'create', '--project', 'clinc'), 0)
  assert.match(written.err, /Note: the configuration says nothing of the project "clinc" \(did you mean "clinic"\?\)\./)
})

test('a wrong scope, date or name is a usage error with a suggestion', async () => {
  const { written, run } = setUp()
  assert.equal(await run('keys', 'create', '--scopes', 'respones'), 2)
  assert.match(written.err, /there is no scope "respones" \(did you mean "responses"\?\)/)
  assert.equal(await run('keys', 'create', '--expires', 'soon'), 2)
  assert.equal(await run('keys', 'create', '--expires', '2001-01-01'), 2)
  assert.match(written.err, /is over already/)
  assert.equal(await run('keys', 'create', '--project', 'Not A Name'), 2)
  assert.equal(await run('keys', 'create', '--name', 'a\nb'), 2)
  assert.equal(await run('keys', 'revoke'), 2)
  assert.match(written.err, /antiphon keys revoke needs ID/)
})

test('a sealing key is rotated by a command, and the older one stays', async () => {
  const { written, run } = setUp()
  assert.equal(await run('keys', 'rotate-sealing', '--data-dir', 'data'), 0)
  assert.match(written.out, /^made the sealing key [0-9a-f]{8}; 1 older one stays in use\n$/)
  assert.equal(await run('keys', 'rotate-sealing', '--data-dir', 'data', '--json'), 0)
  assert.match(written.out, /\{"id":"[0-9a-f]{8}","kept":2,"dropped":0\}\n$/)
})

test('prune counts first, deletes what has expired or is older than asked for, and nothing in a dry run', async () => {
  const { written, run, home } = setUp()
  const now = Math.floor(Date.now() / 1000)
  const store = await createSqliteStore({ path: join(home, 'antiphon.db'), clock: systemClock })
  const project = store.forProject('proj_a')
  await project.finishResponse(record('resp_expired', { created_at: now - 90_000 }, now - 7200), [])
  await project.finishResponse(record('resp_old', { created_at: now - 3 * 86_400 }), [])
  await project.finishResponse(record('resp_new', { created_at: now }), [])
  const args = ['prune', '--data-dir', home]
  assert.equal(await run(...args, '--dry-run'), 0)
  assert.match(written.out, /^1 response with 2 items \(\d KB\) would be deleted\.\n$/)
  assert.equal(await run(...args, '--dry-run', '--older', '2d', '--json'), 0)
  assert.match(
    written.out,
    /\{"expired":\{"responses":2,"items":4,"bytes":\d+,"files":0,"fileBytes":0\},"deleted":0\}\n$/,
  )
  assert.notEqual(await project.getResponse('resp_old'), null)
  assert.equal(await run(...args), 0)
  assert.match(written.err, /1 response with 2 items \(\d KB\) will be deleted\./)
  assert.match(written.out, /deleted 1 response\n$/)
  assert.notEqual(await project.getResponse('resp_old'), null)
  assert.equal(await run(...args, '--older', '2d'), 0)
  assert.equal(await project.getResponse('resp_old'), null)
  assert.notEqual(await project.getResponse('resp_new'), null)
  for (const age of ['30', '1m', 'soon']) assert.equal(await run(...args, '--older', age), 2)
  await store.close()
})

test('a worker for code needs a token, says where it listens, and closes when it is told to stop', async () => {
  const { written, run } = setUp({ env: { ANTIPHON_TOOLS__CODE_INTERPRETER__TOKEN: 't0ken' } })
  assert.equal(await run('sandbox', 'serve', '--host', '127.0.0.2', '--port', '8999'), 0)
  assert.equal(written.out, 'READY http://127.0.0.2:8999\n')
  assert.deepEqual(written.ended, ['worker closed'])
  assert.equal(await run('sandbox', 'serve', '--port', 'many'), 2)
  const without = setUp()
  assert.equal(await without.run('sandbox', 'serve'), 2)
  assert.match(without.written.err, /ANTIPHON_TOOLS__CODE_INTERPRETER__TOKEN/)
})

test('usage is shown by what one asks for, and what has no price is said to have none', async () => {
  const { written, run, home } = setUp()
  const now = Math.floor(Date.now() / 1000)
  const store = await createSqliteStore({ path: join(home, 'antiphon.db'), clock: systemClock })
  const cost = {
    usd: 0.0125,
    lines: [
      { unit: 'input' as const, quantity: 5_000, price: 2.5, usd: 0.0125 },
      { unit: 'call' as const, quantity: 1, price: 0, usd: 0 },
    ],
    source: 'configuration',
    date: '2027-01-31',
  }
  const row = (id: string, change: object) => ({ ...usageRow(id, 'resp_1'), createdAt: now, ...change })
  await store
    .forProject('proj_a')
    .recordUsage([
      row('use_1', { cost }),
      row('use_2', { model: 'a,b' }),
      row('use_3', { cost, createdAt: now - 90 * 86_400 }),
    ])
  await store.close()
  const args = ['usage', '--data-dir', home]
  assert.equal(await run(...args, '--by', 'provider,model'), 0)
  assert.match(
    written.out,
    /^PROVIDER +MODEL +CALLS +INPUT +CACHED +OUTPUT +COST +UNPRICED\ndemo +demo\/a,b +1 .*unknown +1\ndemo +demo\/demo +1 .*\$0\.0125 +0\n$/,
  )
  written.out = ''
  assert.equal(await run(...args, '--by', 'model', '--since', '365d', '--csv'), 0)
  assert.match(written.out, /^model,calls,.*\n"demo\/a,b",1,.*,,1\ndemo\/demo,2,.*,0\.025,0\n$/)
  written.out = ''
  assert.equal(await run(...args, '--by', 'key', '--json'), 0)
  const [key] = JSON.parse(written.out)
  assert.deepEqual([key.key, key.calls, key.costUsd, key.unpricedCalls], ['key000000001', 2, 0.0125, 1])
  written.out = ''
  assert.equal(await run(...args, '--response', 'chatcmpl-1'), 0)
  assert.match(
    written.out,
    / {2}5000 input x \$2\.5\/M = \$0\.0125\n.*\n {2}= \$0\.0125 {3}\(configuration, 2027-01-31\)\n/,
  )
  assert.match(written.out, /cost unknown/)
  assert.equal(await run(...args, '--response', 'resp_nobody'), 1)
  for (const wrong of [
    ['--by', 'colour'],
    ['--since', 'ever'],
  ])
    assert.equal(await run(...args, ...wrong), 2)
})

test('models are tested by name, and what was found is shown without what could rewrite a terminal', async () => {
  const { run, written } = setUp()
  assert.equal(await run('models', 'test', 'smart'), 0)
  assert.match(written.out, /^a\/big\nQUESTION +FIELD +FOUND +USED AS\n/)
  assert.match(written.out, /\nstop +stop +refused +emulated +Unknown field\?\.\n/)
  assert.deepEqual(written.ended, ['tester closed'])
  const json = setUp()
  assert.equal(await json.run('models', 'test', '--json'), 0)
  const [tested] = JSON.parse(json.written.out)
  assert.deepEqual([tested.model, tested.fields, tested.saved], ['a/big', { stop: 'emulated' }, true])
})

test('a model that is not there cannot be tested, and one name is enough', async () => {
  const { run, written } = setUp()
  assert.equal(await run('models', 'test', 'nobody'), 1)
  assert.match(written.err, /there is no model "nobody"/)
  assert.equal(await run('models', 'test', 'a', 'b'), 2)
})

test('models are listed without what could rewrite a terminal', async () => {
  const { written, run } = setUp()
  assert.equal(await run('models'), 0)
  assert.match(written.out, /^MODEL +PROVIDER +CONTEXT\nevil\?\[2J +ollama +4096\n$/)
  assert.match(written.err, /openai is off: no key: set OPENAI_API_KEY/)
})

test('a word that several commands share has a help of its own', async () => {
  const { written, run } = setUp()
  assert.equal(await run('keys', '--help'), 0)
  assert.match(written.out, /^Usage: antiphon keys COMMAND \[OPTIONS\]\n\n {2}keys create .*\n {2}keys list /)
  assert.doesNotMatch(written.out, /^ {2}(serve|models) /m)
})

test('what is unknown is a usage error with a suggestion', async () => {
  for (const [args, message] of [
    [['serv'], 'unknown command "serv" (did you mean "serve"?); see antiphon --help'],
    [['keys'], 'say which command: keys create, keys list, keys revoke, keys rotate-sealing'],
    [['keys', 'mak'], 'unknown command "keys mak": keys create, keys list, keys revoke, keys rotate-sealing'],
    [['--prot', '1'], 'unknown option --prot (did you mean "--port"?); see antiphon serve --help'],
    [['check', '--jsn'], 'unknown option --jsn (did you mean "--json"?); see antiphon check --help'],
    [['--port'], '--port needs a value: PORT'],
    [['--port', '--no-auth'], '--port needs a value: PORT'],
    [['--no-auth=yes'], '--no-auth takes no value'],
    [['serve', 'now'], 'unexpected argument "now"; see antiphon --help'],
  ] as const) {
    const { written, run } = setUp()
    assert.equal(await run(...args), 2, args.join(' '))
    assert.equal(written.err, `antiphon: ${message}\n`)
    assert.equal(written.out, '')
  }
})

test('a faulty configuration stops a start with all its faults', async () => {
  const { written, run, home } = setUp()
  writeFileSync(join(home, 'antiphon.yaml'), 'server: { prot: 1 }\nrouter: { num_retries: x }')
  assert.equal(await run(), 1)
  assert.match(written.err, /the configuration has faults:\n {2}antiphon\.yaml:1:11 .*\n {2}antiphon\.yaml:2:24 /)
})
