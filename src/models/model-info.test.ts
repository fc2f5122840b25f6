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
      'gpt-4o-audio-preview',
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
    assert.equal(knownModelInfo('deepseek-r1:8b').reasoning, true)
    assert.deepEqual(knownModelInfo('something-new'), {})
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
