import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isChatModel, knownModelInfo, mergeInfo } from './model-info.ts'

const windowOf = (name: string) => knownModelInfo(name).contextWindow ?? null

describe('model info', () => {
  it('knows the windows that makers document, also behind vendor folders', () => {
    assert.equal(windowOf('gpt-4o-mini-2024-07-18'), 128_000)
    assert.equal(windowOf('openai/gpt-4.1'), 1_047_576)
    assert.equal(windowOf('o3'), 200_000)
    assert.equal(windowOf('claude-sonnet-4-20250514'), 200_000)
    assert.equal(windowOf('models/gemini-2.5-flash'), 1_048_576)
    assert.equal(windowOf('grok-4'), 256_000)
    assert.equal(windowOf('claude-3-5-sonnet-20241022'), 200_000, 'one that was retired')
  })

  it('gives no number for open weights, nor for members of a family it does not know', () => {
    for (const name of [
      'gpt-oss:20b',
      'meta-llama/Llama-3.3-70B-Instruct',
      'qwen3-coder:30b',
      'mistral-large',
      'deepseek-chat',
      'gpt-5.9',
      'claude-omega-9',
      'gpt-4o-2099-01-01',
      'nobody/knows',
    ]) {
      assert.equal(windowOf(name), null, name)
    }
  })

  it('knows what families can see and whether they reason', () => {
    assert.deepEqual(
      [knownModelInfo('gpt-oss-120b').reasoning, knownModelInfo('gpt-oss-120b').imageInput],
      [true, false],
    )
    assert.equal(knownModelInfo('qwen2.5vl:7b').imageInput, true)
    assert.equal(knownModelInfo('llama3.2-vision').imageInput, true)
    assert.equal(knownModelInfo('google/gemma-3-27b-it').imageInput, true)
    assert.equal(knownModelInfo('gemma-3-1b-it').imageInput, undefined, 'the smallest sees nothing')
    assert.equal(knownModelInfo('glm-4.5v').imageInput, true)
    assert.equal(knownModelInfo('glm-4.5').imageInput, undefined)
    assert.equal(knownModelInfo('deepseek-r1:8b').reasoning, true)
    assert.deepEqual(knownModelInfo('something-new'), {})
  })

  it('takes the most input of a model for its window, where a maker publishes both', () => {
    assert.deepEqual(
      [knownModelInfo('gpt-5').contextWindow, knownModelInfo('gpt-5').maxOutputTokens],
      [272_000, 128_000],
    )
  })

  it('believes a published yes, and takes a capability that is not listed for unknown', () => {
    assert.equal(knownModelInfo('grok-4-1-fast-reasoning').imageInput, true)
    assert.equal(knownModelInfo('grok-4').imageInput, undefined)
    assert.equal(knownModelInfo('gpt-4-0613').imageInput, false, 'the family says no')
  })

  it('tells models that answer prompts from the others', () => {
    for (const name of [
      'text-embedding-3-small',
      'nomic-embed-text:latest',
      'whisper-1',
      'tts-1-hd',
      'omni-moderation-latest',
      'dall-e-3',
      'gpt-image-1',
      'BAAI/bge-m3',
    ]) {
      assert.equal(isChatModel(name), false, name)
    }
    for (const name of ['gpt-5-mini', 'llama3.2', 'anthropic/claude-sonnet-4', 'gemma3', 'demo'])
      assert.ok(isChatModel(name), name)
  })

  it('lets later sources win without hiding what is known', () => {
    const merged = mergeInfo(
      { contextWindow: 10, reasoning: true },
      { contextWindow: null, imageInput: undefined },
      { reasoning: false },
    )
    assert.deepEqual(merged, { contextWindow: 10, reasoning: false })
  })
})
