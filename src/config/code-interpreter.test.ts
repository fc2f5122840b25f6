import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveYaml } from '../../test/support/resolve-yaml.ts'

const code = async (text: string) => {
  const { config, faults } = await resolveYaml(`tools: { code_interpreter: { ${text} } }`)
  return { ...config?.codeInterpreter, faults }
}

test('code runs in bubblewrap, and a provider goes before it, unless something else is said', async () => {
  const { sandbox, providerFirst, python, faults } = await code('')
  assert.deepEqual([sandbox, providerFirst, python, faults], ['bubblewrap', true, null, []])
  assert.equal((await code('sandbox: bubblewrap')).providerFirst, false)
  assert.equal((await code('sandbox: "off"')).sandbox, 'off')
})

test('Python is one below /usr, or the one that is shipped', async () => {
  assert.equal((await code('python: /usr/local/bin/python3.13')).python, '/usr/local/bin/python3.13')
  assert.equal((await code('python: pyodide')).python, 'pyodide')
  assert.match((await code('python: /opt/python')).faults.join(), /below \/usr/)
})

test('a worker needs its address and its token', async () => {
  const remote = await code('url: "https://sandbox.example.com", token: t0ken')
  assert.deepEqual([remote.sandbox, remote.url, remote.token], ['remote', 'https://sandbox.example.com', 't0ken'])
  assert.match((await code('sandbox: remote, token: x')).faults.join(), /lacks "url"/)
  assert.match((await code('url: "https://sandbox.example.com"')).faults.join(), /lacks "token"/)
})
