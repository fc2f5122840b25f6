/** Laws of the keys. */
import assert from 'node:assert/strict'
import { type Law, START_SECONDS, storedKey } from './store-fixtures.contract.ts'

export function keyContract(law: Law): void {
  law('a key is found as it was inserted, an unknown one is null', async ({ store, peer }) => {
    const key = storedKey('abcdefghijkl', { scopes: ['admin'], expiresAt: START_SECONDS + 5, name: 'ci "main" é' })
    await store.keys.insert(key)
    assert.deepEqual(await peer.keys.find('abcdefghijkl'), key)
    assert.equal(await store.keys.find('abcdefghijkL'), null)
  })

  law('a second key with the same id is refused', async ({ store }) => {
    await store.keys.insert(storedKey('aaaaaaaaaaaa'))
    await assert.rejects(store.keys.insert(storedKey('aaaaaaaaaaaa', { projectId: 'proj_b' })))
    assert.equal((await store.keys.find('aaaaaaaaaaaa'))?.projectId, 'proj_a')
  })

  law('keys are listed newest first, also those made in one second', async ({ store }) => {
    await store.keys.insert(storedKey('k1', { createdAt: START_SECONDS + 1 }))
    await store.keys.insert(storedKey('k2'))
    await store.keys.insert(storedKey('k3', { createdAt: START_SECONDS + 1 }))
    assert.deepEqual(
      (await store.keys.list()).map((key) => key.id),
      ['k3', 'k1', 'k2'],
    )
  })

  law('a key is revoked once', async ({ store, peer }) => {
    await store.keys.insert(storedKey('k1'))
    assert.equal(await store.keys.revoke('k1', START_SECONDS + 9), true)
    assert.equal((await peer.keys.find('k1'))?.revokedAt, START_SECONDS + 9)
    assert.equal(await store.keys.revoke('k1', START_SECONDS + 99), false)
    assert.equal((await store.keys.find('k1'))?.revokedAt, START_SECONDS + 9)
    assert.equal(await store.keys.revoke('k_never', START_SECONDS), false)
  })
}
