import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { ApiError } from '../protocol/errors.ts'
import { createSqliteStore } from '../store/sql/sqlite/sqlite-store.ts'
import type { KeyStore, Store } from '../store/store.ts'
import { makeApiKey } from './api-keys.ts'
import { createBadKeyLimit } from './bad-key-limit.ts'
import { createKeyAuthenticator, createOpenAuthenticator, type StaticKey } from './key-authenticator.ts'
import { createKeyRing } from './key-ring.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-auth-'))
const pepper = Buffer.alloc(32, 7)
const ADDRESS = '10.0.0.1'
let now = 1_800_000_000_000
let jumped = 0
const clock: Clock = { now: () => now + jumped, monotonic: () => now, after: () => () => {} }
let store: Store

before(async () => {
  store = await createSqliteStore({ path: join(folder, 'antiphon.db'), clock })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** A real key store that counts what is asked of it and can be cut off. */
function watched() {
  const state = { finds: 0, broken: false }
  const keys: KeyStore = {
    ...store.keys,
    find(id) {
      state.finds += 1
      return state.broken ? Promise.reject(new Error('disk I/O error')) : store.keys.find(id)
    },
  }
  return { keys, state }
}

function setUp(options: { staticKeys?: readonly StaticKey[]; perMinute?: number } = {}) {
  const { keys, state } = watched()
  const authenticator = createKeyAuthenticator({
    keys,
    pepper,
    clock,
    staticKeys: options.staticKeys ?? [],
    badKeyLimit: createBadKeyLimit(clock, options.perMinute),
  })
  const ask = (header: string | null, address = ADDRESS) => authenticator.authenticate(header, address)
  return { ask, state, ring: createKeyRing(store.keys, pepper, clock) }
}

const newKey = (expiresAt: number | null = null) => ({
  name: 'test',
  scopes: ['responses', 'read'] as const,
  expiresAt,
})
const isError = (status: number, code: string | null) => (error: unknown) =>
  error instanceof ApiError && error.status === status && error.code === code

test('a made key gives its project, id and scopes', async () => {
  const { ask, ring } = setUp()
  const { key, stored } = await ring.create(newKey())
  for (const header of [`Bearer ${key}`, `bearer ${key}`, `  BEARER   ${key} `]) {
    const principal = await ask(header)
    assert.equal(principal.projectId, 'proj_default')
    assert.equal(principal.keyId, stored.id)
    assert.deepEqual([...principal.scopes], ['responses', 'read'])
  }
})

test('the store holds no secret', async () => {
  const { ring } = setUp()
  const { key, stored } = await ring.create(newKey())
  const secret = key.slice(-49, -6)
  assert.ok(!JSON.stringify(await store.keys.find(stored.id)).includes(secret))
})

test('a missing key, an empty one and one that is wrong are told apart', async () => {
  const { ask, ring } = setUp()
  const { key } = await ring.create(newKey())
  for (const header of [null, '', '  ', 'Bearer', 'Bearer  ']) await assert.rejects(ask(header), isError(401, null))
  const stranger = makeApiKey().key
  for (const header of [`Bearer ${stranger}`, 'Bearer sk-local', `Basic ${key}`, key, `Bearer ${key} more`]) {
    await assert.rejects(ask(header), isError(401, 'invalid_api_key'), header)
  }
})

test('a known id with another secret is refused', async () => {
  const { ask, ring } = setUp()
  const { stored } = await ring.create(newKey())
  const other = makeApiKey()
  await store.keys.insert({ ...stored, id: other.id })
  await assert.rejects(ask(`Bearer ${other.key}`), isError(401, 'invalid_api_key'))
})

test('a damaged digest in the store is a wrong key, not a crash', async () => {
  const { ask, ring } = setUp()
  const { stored } = await ring.create(newKey())
  const other = makeApiKey()
  await store.keys.insert({ ...stored, id: other.id, digest: 'zz' })
  await assert.rejects(ask(`Bearer ${other.key}`), isError(401, 'invalid_api_key'))
})

test('the same key twice is one key, two different keys are refused', async () => {
  const { ask, ring } = setUp()
  const { key } = await ring.create(newKey())
  assert.ok(await ask(`Bearer ${key}, Bearer ${key}`))
  await assert.rejects(ask(`Bearer ${key}, Bearer sk-other`), isError(400, null))
})

test('a revoked key ends within five seconds', async () => {
  const { ask, ring } = setUp()
  const { key, stored } = await ring.create(newKey())
  assert.ok(await ask(`Bearer ${key}`))
  assert.equal(await ring.revoke(stored.id), true)
  now += 4_999
  assert.ok(await ask(`Bearer ${key}`))
  now += 1
  await assert.rejects(ask(`Bearer ${key}`), isError(401, 'invalid_api_key'))
})

test('a key ends at its expiry, also while it is cached', async () => {
  const { ask, ring } = setUp()
  const { key } = await ring.create(newKey(Math.floor(now / 1000) + 2))
  assert.ok(await ask(`Bearer ${key}`))
  jumped += 2_000
  await assert.rejects(ask(`Bearer ${key}`), isError(401, 'invalid_api_key'))
})

test('known and unknown keys are looked up once per five seconds, however many requests come at once', async () => {
  const { ask, ring, state } = setUp()
  const { key } = await ring.create(newKey())
  await Promise.all(Array.from({ length: 50 }, () => ask(`Bearer ${key}`)))
  assert.equal(state.finds, 1)
  const stranger = makeApiKey().key
  for (let i = 0; i < 3; i += 1) await assert.rejects(ask(`Bearer ${stranger}`))
  assert.equal(state.finds, 2)
  now += 5_000
  await ask(`Bearer ${key}`)
  assert.equal(state.finds, 3)
})

test('what is no key of ours costs no look into the store', async () => {
  const { ask, state } = setUp()
  await assert.rejects(ask('Bearer sk-proj-something-else'))
  assert.equal(state.finds, 0)
})

test('a key made after it was refused works within five seconds', async () => {
  const { ask, ring } = setUp()
  const { stored, key } = await ring.create(newKey())
  const { keys } = store
  await keys.revoke(stored.id, 1)
  await assert.rejects(ask(`Bearer ${key}`))
  const again = await ring.create(newKey())
  now += 5_000
  assert.ok(await ask(`Bearer ${again.key}`))
})

test('a store that cannot answer is a 503, and keys it knew keep working for a minute', async () => {
  const { ask, ring, state } = setUp()
  const [known, unknown] = [await ring.create(newKey()), await ring.create(newKey())]
  await ask(`Bearer ${known.key}`)
  state.broken = true
  now += 59_000
  assert.ok(await ask(`Bearer ${known.key}`))
  await assert.rejects(ask(`Bearer ${unknown.key}`), isError(503, 'service_unavailable'))
  now += 1_000
  await assert.rejects(ask(`Bearer ${known.key}`), isError(503, 'service_unavailable'))
  state.broken = false
  assert.ok(await ask(`Bearer ${known.key}`))
})

test('after 20 wrong keys in a minute an address gets 429, its cached keys go on, other addresses too', async () => {
  const { ask, ring } = setUp()
  const { key } = await ring.create(newKey())
  await ask(`Bearer ${key}`)
  for (let i = 0; i < 20; i += 1) await assert.rejects(ask(`Bearer wrong-${i}`), isError(401, 'invalid_api_key'))
  const blocked = await ask('Bearer wrong-21').catch((error: unknown) => error)
  assert.ok(blocked instanceof ApiError && blocked.status === 429)
  assert.match(blocked.headers['retry-after'] ?? '', /^[1-9]\d*$/)
  assert.ok(await ask(`Bearer ${key}`))
  await assert.rejects(ask('Bearer wrong-22', '10.0.0.2'), isError(401, 'invalid_api_key'))
  now += 60_000
  await assert.rejects(ask('Bearer wrong-23'), isError(401, 'invalid_api_key'))
})

test('a key of the configuration needs no store, and ends at its expiry', async () => {
  const principal = { projectId: 'proj_default', keyId: 'ci', scopes: new Set(['read'] as const) }
  const expiresAt = Math.floor((now + jumped) / 1000) + 10
  const { ask, state } = setUp({ staticKeys: [{ key: 'my-own-secret', principal, expiresAt }] })
  state.broken = true
  assert.equal(await ask('Bearer my-own-secret'), principal)
  await assert.rejects(ask('Bearer my-own-secreT'), isError(401, 'invalid_api_key'))
  now += 10_000
  await assert.rejects(ask('Bearer my-own-secret'), isError(401, 'invalid_api_key'))
})

test('an endless header is refused before anything is computed from it', async () => {
  const { ask, state } = setUp()
  await assert.rejects(ask(`Bearer ${'x'.repeat(100_000)}`), isError(401, 'invalid_api_key'))
  assert.equal(state.finds, 0)
})

test('without authentication everybody has every scope', async () => {
  const principal = await createOpenAuthenticator().authenticate(null, ADDRESS)
  assert.deepEqual([...principal.scopes], ['responses', 'files', 'read', 'admin'])
})
