import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROVIDER_CATALOG } from '../app/built-in-providers.ts'
import { resolveConfig } from './resolve-config.ts'

async function resolve(env: Record<string, string>) {
  const sources = { flags: new Map(), file: null, noAuth: false, providers: PROVIDER_CATALOG, cwd: '/', home: '/home' }
  const result = await resolveConfig({ ...sources, env })
  return result.type === 'config' ? result.config.fileStorage : result.problems.map(({ message }) => message)
}

const KEYS = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
const files = (place: string, more: Record<string, string> = {}) => resolve({ ANTIPHON_STORAGE__FILES: place, ...more })

test('files lie in the data directory, in a folder, or in a bucket', async () => {
  assert.deepEqual(await resolve({}), { type: 'directory', path: '/home/.antiphon/files' })
  assert.deepEqual(await files('~/uploads'), { type: 'directory', path: '/home/uploads' })
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: null }
  assert.deepEqual(await files('s3://my-bucket', { ...KEYS, AWS_REGION: 'eu-central-1' }), {
    type: 's3',
    bucket: 'my-bucket',
    prefix: '',
    endpoint: 'https://s3.eu-central-1.amazonaws.com',
    region: 'eu-central-1',
    pathStyle: false,
    credentials,
  })
  const own = { ...KEYS, AWS_ENDPOINT_URL_S3: 'http://minio:9000', AWS_SESSION_TOKEN: 'token' }
  assert.deepEqual(await files('s3://my-bucket/a/b/', own), {
    type: 's3',
    bucket: 'my-bucket',
    prefix: 'a/b/',
    endpoint: 'http://minio:9000',
    region: 'us-east-1',
    pathStyle: true,
    credentials: { ...credentials, sessionToken: 'token' },
  })
})

test('a bucket without keys, and what is no bucket, are problems', async () => {
  assert.deepEqual(await files('s3://my-bucket'), [
    'a bucket needs "storage.s3.access_key_id", or AWS_ACCESS_KEY_ID',
    'a bucket needs "storage.s3.secret_access_key", or AWS_SECRET_ACCESS_KEY',
  ])
  for (const place of ['s3://', 's3://UPPER', 's3://b', 's3://bucket/ü', 'https://bucket', 'gs://my-bucket']) {
    const [problem] = [await files(place, KEYS)].flat()
    assert.match(String(problem), /expected a path, or a bucket as s3:\/\/bucket\/prefix/, place)
  }
})
