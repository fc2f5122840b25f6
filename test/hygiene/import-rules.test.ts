import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findCycles } from './import-cycles.ts'
import { findIllegalImports } from './import-rules.ts'
import { importsOf } from './imports.ts'
import { parsePlanted } from './planted-sources.ts'

const importsIn = (files: Readonly<Record<string, string>>) => parsePlanted(files).flatMap(importsOf)
const illegal = (from: string, text: string) => findIllegalImports(importsIn({ [from]: text }))

describe('the import scanner', () => {
  test('sees every form of an import and no look-alike', () => {
    const text = [
      "import a from './a.ts'",
      "import type { B } from './b.ts'",
      "import { type C, d } from './c.ts'",
      "import * as e from './e.ts'",
      "import './f.ts'",
      "export { g } from './g.ts'",
      "export * from './h.ts'",
      "export type { I } from './i.ts'",
      "type J = import('./j.ts').J",
      "let k: typeof import('./k.ts')",
      "const l = await import('./l.ts')",
      'const m = await import(`./m.ts`)',
      "import n = require('./n.ts')",
      "import {\n  o,\n} from './o.ts'",
      "import data from './p.json' with { type: 'json' }",
      "// import x from './comment.ts'",
      'const text = "import x from \'./text.ts\'"',
      "const template = `import('./template.ts')`",
      'const exporter = { from: 1 }',
    ].join('\n')
    const found = importsIn({ 'src/lib/x.ts': text }).map((it) => it.specifier)
    assert.deepEqual(found, [...'abcefghijklmno'].map((it) => `./${it}.ts`).concat('./p.json'))
  })
})

describe('the table of layers', () => {
  test('prints the illegal arrow', () => {
    assert.deepEqual(illegal('src/engine/x.ts', "import { y } from '../models/demo/y.ts'"), [
      'src/engine/x.ts:1 -> src/models/demo/y.ts: engine may not import adapters',
    ])
  })

  const forbidden: readonly (readonly [string, string, RegExp])[] = [
    ['src/engine/x.ts', '../http/server.ts', /engine may not import http/],
    ['src/engine/x.ts', '../models/registry.ts', /engine may not import adapters/],
    ['src/engine/x.ts', '../config/load.ts', /only main, app and cli may import config/],
    ['src/http/routes/x.ts', '../../store/sql/open.ts', /http may not import adapters/],
    ['src/http/x.ts', '../auth/check-key.ts', /http may not import adapters/],
    ['src/lib/x.ts', '../protocol/items.ts', /lib may not import anything of ours/],
    ['src/protocol/x.ts', '../models/model.ts', /protocol may import lib only/],
    ['src/protocol/x.ts', 'node:fs', /protocol does no I\/O/],
    ['src/protocol/x.ts', 'node:crypto', /no randomness/],
    ['src/protocol/x.ts', 'node:timers/promises', /no clock/],
    ['src/models/model.ts', './demo/demo.ts', /a port may import/],
    ['src/models/registry.ts', './demo/demo.ts', /models may not import its adapters/],
    ['src/models/demo/x.ts', '../chat-completions/y.ts', /adapters may not import each other/],
    ['src/models/demo/x.ts', '../registry.ts', /not its registry/],
    ['src/models/demo/x.ts', '../../store/store.ts', /the port of models only/],
    ['src/models/demo/x.ts', '../../engine/run-turn.ts', /models may not import engine/],
    ['src/store/sql/x.ts', '../../models/demo/y.ts', /store may not import models/],
    ['src/config/x.ts', '../protocol/items.ts', /config may import lib only/],
    ['src/cli/x.ts', '../store/sql/open.ts', /only app names concrete parts/],
    ['src/lib/x.ts', '../main.ts', /nothing imports main/],
    ['src/engine/x.ts', '../../test/fakes/y.ts', /only tests may import test code/],
    ['src/engine/x.ts', './y.test.ts', /only tests may import test code/],
    ['src/engine/x.ts', '../models/model.contract.ts', /only tests may import test code/],
    ['src/engine/x.ts', './y', /with the \.ts extension/],
    ['src/engine/x.ts', './y.js', /with the \.ts extension/],
    ['src/engine/x.ts', 'ws', /ws is known to http alone/],
    ['src/jobs/x.ts', '../store/sql/open.ts', /jobs may not import adapters/],
    ['src/http/x.ts', '../app/open-models.ts', /http may not import app/],
    ['src/engine/x.ts', 'node:sqlite', /node:sqlite is known to store and search-index and lib alone/],
  ]
  for (const [from, to, why] of forbidden) {
    test(`forbids ${from} -> ${to}`, () => {
      const found = illegal(from, `import type { y } from '${to}'`)
      assert.equal(found.length, 1)
      assert.match(found[0] ?? '', why)
    })
  }

  const allowed: readonly (readonly [string, string])[] = [
    ['src/app.ts', './models/demo/demo.ts'],
    ['src/main.ts', './config/load.ts'],
    ['src/app/open-models.ts', '../models/demo/demo.ts'],
    ['src/jobs/expire.ts', '../store/store.ts'],
    ['src/cli/serve.ts', '../app.ts'],
    ['src/cli/keys.ts', '../store/store.ts'],
    ['src/engine/x.ts', '../models/model.ts'],
    ['src/engine/x.ts', '../telemetry/telemetry.ts'],
    ['src/http/routes/x.ts', '../../engine/engine.ts'],
    ['src/http/routes/x.ts', '../../models/catalog.ts'],
    ['src/models/registry.ts', './catalog.ts'],
    ['src/models/demo/x.ts', '../model.ts'],
    ['src/models/demo/x.ts', './y.ts'],
    ['src/models/demo/x.ts', '../../lib/sse.ts'],
    ['src/store/sql/migrations/x.ts', '../dialect.ts'],
    ['src/protocol/x.ts', 'typebox'],
    ['src/engine/x.test.ts', '../models/demo/demo.ts'],
  ]
  for (const [from, to] of allowed) {
    test(`allows ${from} -> ${to}`, () => {
      assert.deepEqual(illegal(from, `import type { y } from '${to}'`), [])
    })
  }

  test('lets an adapter use the ports that its own port names', () => {
    const files = {
      'src/tools/tool.ts': "import type { ToolDeclaration } from '../models/model.ts'",
      'src/tools/function/x.ts': "import type { ToolDeclaration } from '../../models/model.ts'",
    }
    assert.deepEqual(findIllegalImports(importsIn(files)), [])
  })
})

describe('the search for cycles', () => {
  test('shows the whole way round, also when only types are imported', () => {
    const files = {
      'src/lib/a.ts': "import type { B } from './b.ts'",
      'src/lib/b.ts': "export type B = import('./c.ts').C",
      'src/lib/c.ts': "export { a } from './a.ts'",
      'src/lib/d.ts': "import './a.ts'",
    }
    assert.deepEqual(findCycles(importsIn(files)), ['src/lib/a.ts -> src/lib/b.ts -> src/lib/c.ts -> src/lib/a.ts'])
  })

  test('finds a file that imports itself, and nothing in a diamond', () => {
    assert.deepEqual(findCycles(importsIn({ 'src/lib/a.ts': "import './a.ts'" })), ['src/lib/a.ts -> src/lib/a.ts'])
    const diamond = {
      'src/lib/a.ts': "import './b.ts'\nimport './c.ts'",
      'src/lib/b.ts': "import './d.ts'",
      'src/lib/c.ts': "import './d.ts'",
      'src/lib/d.ts': '',
    }
    assert.deepEqual(findCycles(importsIn(diamond)), [])
  })
})
