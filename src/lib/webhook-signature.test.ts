import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { newWebhookSecret, signWebhook } from './webhook-signature.ts'

const { webhooks } = new OpenAI({ apiKey: 'none' })
const message = (body = '{"type":"response.completed"}') => ({
  id: 'evt_1',
  timestamp: Math.floor(Date.now() / 1000),
  body,
})
const headersOf = ({ id, timestamp }: ReturnType<typeof message>, signature: string) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
})

test('the example of the Standard Webhooks scheme has the signature that the scheme gives it', () => {
  const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' }
  const signature = signWebhook(example, ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])
  assert.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('the official SDK unwraps what was signed with a new secret, and with a secret that is plain text', async () => {
  for (const secret of [newWebhookSecret(), 'a secret of words']) {
    const sent = message()
    const event = await webhooks.unwrap(sent.body, headersOf(sent, signWebhook(sent, [secret])), secret)
    assert.equal(event.type, 'response.completed')
  }
})

test('while a secret is replaced the old one verifies as well as the new one, and no other', async () => {
  const [old, fresh, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()]
  const sent = message()
  const headers = headersOf(sent, signWebhook(sent, [fresh, old]))
  await webhooks.verifySignature(sent.body, headers, old)
  await webhooks.verifySignature(sent.body, headers, fresh)
  await assert.rejects(webhooks.verifySignature(sent.body, headers, other))
})

test('a body, an id or a time that was changed is refused', async () => {
  const secret = newWebhookSecret()
  const sent = message()
  const headers = headersOf(sent, signWebhook(sent, [secret]))
  await assert.rejects(webhooks.verifySignature(`${sent.body} `, headers, secret))
  await assert.rejects(webhooks.verifySignature(sent.body, { ...headers, 'webhook-id': 'evt_2' }, secret))
  const later = { ...headers, 'webhook-timestamp': String(sent.timestamp + 1) }
  await assert.rejects(webhooks.verifySignature(sent.body, later, secret))
})
