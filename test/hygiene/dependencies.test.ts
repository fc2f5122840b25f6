/** The laws about what we depend on, read from the lock file alone: the same answer on every machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT, readSource } from './source-files.ts'

const MAX_PRODUCTION_PACKAGES = 62
const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'MPL-2.0',
  'MIT OR Apache-2.0',
  '(MIT OR GPL-3.0-or-later)',
  '(MIT AND Zlib)',
  '(AFL-2.1 OR BSD-3-Clause)',
])
/** Names a text instead of an identifier: its project is under MIT and Apache-2.0. Used in tests alone. */
const READ_LICENCES: ReadonlySet<string> = new Set(['@modelcontextprotocol/server-everything'])
const EXACT_VERSION = /^\d+\.\d+\.\d+$/

type LockEntry = {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly hasInstallScript?: boolean
}
type Lock = { readonly packages: Readonly<Record<string, LockEntry>> }
type Manifest = Partial<
  Record<'dependencies' | 'optionalDependencies' | 'devDependencies' | 'peerDependencies', Record<string, string>>
>

const lock: Lock = JSON.parse(readSource(ROOT, 'package-lock.json'))
const manifest: Manifest = JSON.parse(readSource(ROOT, 'package.json'))
const installed = Object.entries(lock.packages).filter(([path]) => path !== '')
const production = installed.filter(([, entry]) => entry.dev !== true && entry.devOptional !== true)
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
const isPinnedNode = (path: string) => /^node-(linux|win|darwin)-/.test(nameOf(path))
const direct = Object.entries({
  ...manifest.dependencies,
  ...manifest.optionalDependencies,
  ...manifest.devDependencies,
  ...manifest.peerDependencies,
})

const pathsWhere = (test: (entry: LockEntry) => boolean) => installed.filter(([, it]) => test(it)).map(([path]) => path)

test('the production tree stays small', (t) => {
  const counted = production.filter(([path]) => !isPinnedNode(path))
  t.diagnostic(`${counted.length} production packages beside the pinned Node, ${MAX_PRODUCTION_PACKAGES} allowed`)
  assert.ok(counted.length <= MAX_PRODUCTION_PACKAGES, counted.map(([path]) => nameOf(path)).join('\n'))
})

test('nothing we ship runs a script when it is installed', () => {
  const shipped = new Set(production.map(([path]) => path))
  assert.deepEqual(
    pathsWhere((entry) => entry.hasInstallScript === true).filter((path) => shipped.has(path)),
    [],
  )
})

test('every package in the lock has its digest, and none names a host', () => {
  assert.deepEqual(
    pathsWhere((entry) => entry.integrity === undefined),
    [],
  )
  assert.deepEqual(
    pathsWhere((entry) => entry.resolved !== undefined),
    [],
  )
})

test('every licence is one we allow', () => {
  assert.deepEqual(
    installed
      .filter(([path, entry]) => !ALLOWED_LICENCES.has(entry.license ?? 'none') && !READ_LICENCES.has(nameOf(path)))
      .map(([path, entry]) => `${nameOf(path)}: ${entry.license ?? 'no licence'}`),
    [],
  )
})

test('every direct dependency has an exact version that the lock holds', () => {
  for (const [name, version] of direct) {
    assert.match(version, EXACT_VERSION, `${name} is not pinned to one version`)
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version, `${name} differs from the lock`)
  }
})

test('every direct dependency is named with its reason, and no other', () => {
  const record = readSource(ROOT, 'docs/decisions/0002-dependencies.md')
  const reasons = new Map(
    [...record.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, name = '', reason = '']) => [name, reason]),
  )
  assert.deepEqual([...reasons.keys()].sort(), direct.map(([name]) => name).sort())
  for (const [name, reason] of reasons) assert.ok(reason.length >= 20, `${name} has no reason`)
})
