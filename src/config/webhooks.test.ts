import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveYaml } from '../../test/support/resolve-yaml.ts'

const URL = 'url: "https://ops.example/hook"'
const webhook = (fields: string) => resolveYaml(`webhooks: { ops: { ${fields} } }`)

test('a webhook of the configuration is told of every end in the default project, unless it says otherwise', async () => {
  const plain = await webhook(`${URL}, secret: sixteen-characters`)
  assert.deepEqual(plain.config?.webhooks, [
    {
      name: 'ops',
      url: 'https://ops.example/hook',
      secret: 'sixteen-characters',
      events: ['response.completed', 'response.failed', 'response.cancelled', 'response.incomplete'],
      projectId: 'proj_default',
    },
  ])
  const own = await webhook(
    `${URL}, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", events: [response.failed], project: ops`,
  )
  assert.deepEqual(
    [own.config?.webhooks[0]?.events, own.config?.webhooks[0]?.projectId],
    [['response.failed'], 'proj_ops'],
  )
  assert.deepEqual((await resolveYaml('')).config?.webhooks, [])
})

test('a secret that is missing, short or not the base64 it looks like is a fault', async () => {
  const faultsOf = async (fields: string) => (await webhook(fields)).faults
  assert.deepEqual(await faultsOf(URL), ['a webhook lacks "secret"'])
  assert.deepEqual(await faultsOf('secret: sixteen-characters'), ['a webhook lacks "url"'])
  const short = 'the secret of the webhook "ops" is shorter than 16 characters'
  assert.deepEqual(await faultsOf(`${URL}, secret: short`), [short])
  const odd = 'the secret of the webhook "ops" is not "whsec_" and base64 of 16 bytes or more'
  assert.deepEqual(await faultsOf(`${URL}, secret: whsec_not-base64-at-all-but-long`), [odd])
})

test('an event that is never sent, and a list of none, are faults', async () => {
  const events = async (list: string) => (await webhook(`${URL}, secret: sixteen-characters, events: ${list}`)).faults
  assert.match(String(await events('[batch.completed]')), /batch\.completed/)
  assert.match(String(await events('[]')), /at least 1/)
})
