import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detectKeys } from './detect-keys.ts'

const PROVIDERS = [
  { name: 'openai', envKeys: ['OPENAI_API_KEY'], envBaseUrls: ['OPENAI_BASE_URL'] },
  { name: 'gemini', envKeys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'] },
  { name: 'ollama', envKeys: ['OLLAMA_API_KEY'], envBaseUrls: ['OLLAMA_HOST'], local: true },
]

describe('detecting keys', () => {
  it('finds providers by their variables and says how to switch on the others', () => {
    const { found, missing } = detectKeys({ GOOGLE_API_KEY: 'g', OLLAMA_HOST: 'x' }, PROVIDERS)
    assert.deepEqual(found, [{ name: 'gemini', envKey: 'GOOGLE_API_KEY', baseUrl: null }])
    assert.deepEqual(missing, [{ name: 'openai', hint: 'set OPENAI_API_KEY to use it' }])
  })

  it('takes an empty variable for one that is not set', () => {
    assert.deepEqual(detectKeys({ OPENAI_API_KEY: '', GEMINI_API_KEY: ' ', OPENAI_BASE_URL: '' }, PROVIDERS).found, [])
  })

  it('points openai to OPENAI_BASE_URL, with or without a key', () => {
    const baseUrl = 'http://gpu:9000/v1'
    const withKey = detectKeys({ OPENAI_BASE_URL: `${baseUrl}/`, OPENAI_API_KEY: 'k' }, PROVIDERS)
    assert.deepEqual(withKey.found, [{ name: 'openai', envKey: 'OPENAI_API_KEY', baseUrl }])
    assert.deepEqual(detectKeys({ OPENAI_BASE_URL: baseUrl }, PROVIDERS).found, [
      { name: 'openai', envKey: null, baseUrl },
    ])
  })

  it('does not point the server to itself, nor to what is no address, and says so without repeating it', () => {
    const own = detectKeys({ OPENAI_BASE_URL: 'http://localhost:8484/v1', OPENAI_API_KEY: 'k' }, PROVIDERS, [
      'http://localhost:8484',
    ])
    assert.deepEqual(own.found, [{ name: 'openai', envKey: 'OPENAI_API_KEY', baseUrl: null }])
    assert.match(own.warnings[0] ?? '', /^OPENAI_BASE_URL is the address of this server/)
    for (const value of ['gpu:9000', 'http://me:secret@gpu/v1', 'file:///etc']) {
      const { found, warnings } = detectKeys({ OPENAI_BASE_URL: value }, PROVIDERS)
      assert.deepEqual([found.length, warnings.length], [0, 1])
      assert.doesNotMatch(warnings[0] ?? '', /secret/)
    }
  })

  it('never hands out a key', () => {
    assert.doesNotMatch(JSON.stringify(detectKeys({ OPENAI_API_KEY: 'sk-secret' }, PROVIDERS)), /sk-secret/)
  })
})
