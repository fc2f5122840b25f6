import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signV4 } from './sign-v4.ts'

/** The examples of AWS's own documentation of the algorithm. */
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
}
const AT = { region: 'us-east-1', at: new Date('2013-05-24T00:00:00Z') }
const HOST = 'https://examplebucket.s3.amazonaws.com'

const sign = (url: string, credentials: Parameters<typeof signV4>[1] = CREDENTIALS) =>
  signV4({ method: 'GET', url: new URL(url), body: new Uint8Array() }, credentials, AT)

test('requests are signed as in the examples of the specification', () => {
  const examples = [
    [`${HOST}/?lifecycle`, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    [`${HOST}/?max-keys=2&prefix=J`, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ] as const
  for (const [url, signature] of examples) {
    const { authorization } = sign(url)
    assert.equal(authorization?.split('Signature=')[1], signature)
    assert.match(authorization ?? '', /Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/us-east-1\/s3\/aws4_request,/)
  }
})

test('the token of temporary credentials is sent and signed', () => {
  const headers = sign(`${HOST}/x`, { ...CREDENTIALS, sessionToken: 'token' })
  assert.equal(headers['x-amz-security-token'], 'token')
  assert.match(headers.authorization ?? '', /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/)
})

test('the secret is in no header', () => {
  assert.ok(!JSON.stringify(sign(`${HOST}/x`)).includes(CREDENTIALS.secretAccessKey))
})
