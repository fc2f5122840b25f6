import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createScriptedLanguageModel } from '../../../test/support/scripted-language-model.ts'
import { loadPackage, PackageError } from './load-package.ts'

const SOURCE = { packageName: '@ai-sdk/not-there', factory: null, method: null }
const says = (pattern: RegExp) => (error: unknown) => error instanceof PackageError && pattern.test(error.message)
const model = createScriptedLanguageModel({ parts: [] })
const createAny = () => ({ languageModel: () => model, chat: () => ({ ...model, modelId: 'by chat' }) })

it('a missing package is told with the line that installs it', async () => {
  await assert.rejects(loadPackage(SOURCE), says(/not installed: npm install @ai-sdk\/not-there$/))
  await assert.rejects(
    loadPackage({ ...SOURCE, packageName: '@ai-sdk/not-there/anthropic' }),
    says(/npm install @ai-sdk\/not-there$/),
  )
})

it('a real package makes models, by its own choice or by the named function', async () => {
  const openai = { packageName: '@ai-sdk/openai', factory: null }
  const settings = { apiKey: 'k' }
  const byChoice = (await loadPackage({ ...openai, method: null }))(settings)('m')
  assert.equal(byChoice.provider, 'openai.responses')
  const byChat = (await loadPackage({ ...openai, method: 'chat' }))(settings)('m')
  assert.equal(byChat.provider, 'openai.chat')
})

it('the factory is the one named after the package, the only one, or the one that is asked for', async () => {
  const open = async (module: unknown, factory: string | null = null) =>
    (await loadPackage({ ...SOURCE, factory }, async () => module))({})('m')
  assert.equal((await open({ createNotThere: createAny, createOther: createAny })).modelId, 'scripted')
  assert.equal((await open({ createOther: createAny })).modelId, 'scripted')
  assert.equal((await open({ createA: createAny, createB: createAny }, 'createB')).modelId, 'scripted')
  await assert.rejects(
    open({ createA: createAny, createB: createAny }),
    says(/set "factory" to one of: createA, createB/),
  )
  await assert.rejects(open({}, 'createB'), says(/has no createB/))
})

it('a package of another specification, or without models, is refused with what to do', async () => {
  const old = { createOld: () => ({ languageModel: () => ({ ...model, specificationVersion: 'v3' }) }) }
  const open = (module: unknown, method: string | null = null) => loadPackage({ ...SOURCE, method }, async () => module)
  const opened = await open(old)
  assert.throws(() => opened({})('m'), says(/version v3 .* v4 is needed: npm install @ai-sdk\/not-there@latest/))
  const none = await open({ createNone: () => ({}) })
  assert.throws(() => none({}), says(/makes no language models/))
  const nameless = await open({ createAny }, 'speech')
  assert.throws(() => nameless({}), says(/by "speech"/))
})
