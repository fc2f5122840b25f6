import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { countCasts, findCodeFaults, MAX_FUNCTION_LINES } from './code-rules.ts'
import { importsOf } from './imports.ts'
import { longFunction, parsePlanted } from './planted-sources.ts'
import { findBadNames, findLongFiles, findUnusedByProduct, findWorkplaceWords } from './tree-rules.ts'

const faultsIn = (path: string, text: string) => parsePlanted({ [path]: text }).flatMap(findCodeFaults)
const silenced = ['@ts-', 'ignore'].join('')

describe('the rules of the house', () => {
  const faulty: readonly (readonly [string, string, RegExp])[] = [
    ['src/lib/x.ts', 'export const a = (b: any) => b', /`any` is not allowed/],
    ['src/lib/x.ts', 'export const a = 1 as any', /`any` is not allowed/],
    ['src/lib/x.ts', 'export default function a() {}', /no default exports/],
    ['src/lib/x.ts', 'const a = 1\nexport { a as default }', /no default exports/],
    ['src/lib/x.ts', 'const a = 1\nexport default a', /no default exports/],
    ['src/lib/x.ts', `// ${silenced}\nexport const a: string = 1`, /type checker is not silenced/],
    ['src/engine/x.ts', 'export const a = Date.now()', /`Date\.now` is not called here/],
    ['src/engine/x.ts', 'export const a = new Date()', /reads the clock/],
    ['src/models/demo/x.ts', 'export const a = Math.random()', /`Math\.random`/],
    ['src/tools/x.ts', 'globalThis.setTimeout(() => {}, 1)', /`setTimeout`/],
    ['src/protocol/x.ts', 'export const a = performance.now()', /`performance\.now`/],
    ['src/store/sql/x.ts', 'export const a = crypto.randomUUID()', /`crypto\.randomUUID`/],
    ['src/engine/x.ts', 'export const a = AbortSignal.timeout(5)', /`AbortSignal\.timeout`/],
    ['src/store/sql/x.ts', 'export const a = (db, id) => db.prepare(`select ${id}`)', /SQL is never built/],
    ['src/store/sql/x.ts', "export const a = (db, id) => db.exec('select ' + id)", /SQL is never built/],
    ['src/store/sql/x.ts', 'export const a = (db, id) => { const q = `s ${id}`; db.exec(q) }', /SQL is never built/],
    ['src/lib/x.ts', 'export const a = () => ({ get b() { return 1 } })', /no getter in an object literal/],
    ['src/lib/x.ts', "import { request } from 'undici'", /dear to load/],
    ['src/lib/x.ts', longFunction('long', MAX_FUNCTION_LINES + 1), /a function of 71 lines/],
  ]
  for (const [path, text, why] of faulty) {
    test(`catch ${JSON.stringify(text.slice(0, 60))} in ${path}`, () => {
      const faults = faultsIn(path, text)
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.match(faults[0] ?? '', why)
    })
  }

  const clean: readonly (readonly [string, string])[] = [
    ['src/lib/x.ts', '// any `any` is fine in a comment\nexport const any = "as any"'],
    ['src/lib/x.ts', 'export const a = () => Date.now()'],
    ['src/lib/x.ts', 'export const a = (b) => { switch (b) { default: return 1 } }'],
    ['src/engine/x.ts', 'export const a = (seconds) => new Date(seconds * 1000)'],
    ['src/engine/x.ts', 'export const a = (clock) => clock.now()'],
    ['src/engine/x.test.ts', 'export const a = Date.now()'],
    ['src/lib/x.ts', "import type { Agent } from 'undici'\nexport const a = () => import('undici')"],
    ['src/lib/x.ts', 'export class A { get b() { return 1 } }'],
    ['src/store/sql/x.ts', 'export const a = (db) => db.prepare(`select 1`)'],
    ['src/engine/x.ts', 'export const a = (b) => /x/.exec(`a${b}`)'],
    ['src/lib/x.ts', longFunction('long', MAX_FUNCTION_LINES)],
    ['src/lib/x.ts', `export function outer() {\n${longFunction('inner', 60).replace('export ', '').repeat(2)}}`],
  ]
  for (const [path, text] of clean) {
    test(`pass ${JSON.stringify(text.slice(0, 60))} in ${path}`, () => {
      assert.deepEqual(faultsIn(path, text), [])
    })
  }

  test('count casts, but neither `as const` nor renames nor `satisfies`', () => {
    const text = [
      "import { a as b } from './a.ts'",
      'export { b as c }',
      'export const d = [1] as const',
      'export const e = 1 satisfies number',
      'export const f = d as readonly number[]',
      'export const g = (d as unknown) as string',
    ].join('\n')
    assert.equal(parsePlanted({ 'src/lib/x.ts': text }).map(countCasts)[0], 3)
  })
})

describe('the rules about files', () => {
  test('catch names that are not kebab-case', () => {
    const paths = ['src/a-b.ts', 'src/a.test.ts', 'src/model.contract.ts', 'src/aB.ts', 'src/a_b.ts', 'README.md']
    assert.deepEqual(
      findBadNames(paths).map((it) => it.split(':')[0]),
      ['src/aB.ts', 'src/a_b.ts'],
    )
  })

  test('count lines as an editor does', () => {
    const files = [
      { path: 'a.ts', text: 'x\n'.repeat(5) },
      { path: 'b.ts', text: 'x\n'.repeat(6) },
    ]
    assert.deepEqual(findLongFiles(files, 5), ['b.ts: 6 lines'])
  })

  test('name the line that holds a word of a workplace', () => {
    const text = `fine\nsee ${['registry.', 'npmjs'].join('')}.org`
    assert.deepEqual(
      findWorkplaceWords([{ path: 'a.md', text }]).map((it) => it.slice(0, 6)),
      ['a.md:2'],
    )
  })

  test('name what lies in src and is imported by tests alone', () => {
    const files = {
      'src/main.ts': "import './used.ts'",
      'src/used.ts': '',
      'src/helper.ts': '',
      'src/used.test.ts': "import './helper.ts'",
      'test/support/x.ts': "import '../../src/helper.ts'",
    }
    const found = findUnusedByProduct(Object.keys(files), parsePlanted(files).flatMap(importsOf))
    assert.deepEqual(found, ['src/helper.ts: no product code imports it'])
  })
})
