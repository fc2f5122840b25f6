import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type ModelHub, openModelHub, sha256 } from '../../../../test/fakes/model-hub.ts'
import { replyChain, tinyGguf } from '../../../../test/fakes/tiny-gguf.ts'
import { type Clock, systemClock } from '../../../lib/clock.ts'
import { type PullOptions, type PullProgress, pullModel } from './pull-model.ts'
import { PullFailed } from './pull-source.ts'

const MODEL = tinyGguf({ chain: replyChain('Hello') })
const OTHER = tinyGguf({ chain: replyChain('Goodbye') })
const CUT = 100_000
/** Pauses between tries pass at once. */
const hasty: Clock = { ...systemClock, after: (_ms, fn) => systemClock.after(0, fn, { keepsAlive: true }) }

type Bed = AsyncDisposable & {
  readonly hub: ModelHub
  readonly dir: string
  readonly progress: PullProgress[]
  pull(source?: string, changes?: Partial<PullOptions>): ReturnType<typeof pullModel>
  files(): readonly string[]
}

async function openBed(files: Readonly<Record<string, Uint8Array>> = { 'tiny-Q4_K_M.gguf': MODEL }): Promise<Bed> {
  const hub = await openModelHub(files)
  const dir = mkdtempSync(join(tmpdir(), 'antiphon-pull-'))
  const progress: PullProgress[] = []
  return {
    hub,
    dir,
    progress,
    pull: (source = 'hf:owner/repo', changes = {}) =>
      pullModel(source, {
        dir,
        hub: { endpoint: hub.endpoint, token: 'hf_secret' },
        clock: hasty,
        signal: new AbortController().signal,
        onProgress: (one) => progress.push(one),
        ...changes,
      }),
    files: () => readdirSync(dir).sort(),
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const failsWith = (what: RegExp) => (error: unknown) => error instanceof PullFailed && what.test(error.message)
const ranges = ({ hub }: Bed) => hub.requests.filter(({ path }) => path.startsWith('/bytes/')).map(({ range }) => range)

describe('a pull', () => {
  it('puts the whole file into its place, with the checksum as published', async () => {
    await using bed = await openBed()
    const pulled = await bed.pull()
    assert.deepEqual(
      { name: pulled.name, isNew: pulled.isNew, checked: pulled.files[0]?.checked, sha256: pulled.files[0]?.sha256 },
      { name: 'tiny-Q4_K_M', isNew: true, checked: true, sha256: sha256(MODEL) },
    )
    assert.deepEqual(bed.files(), ['tiny-Q4_K_M.gguf'])
    assert.deepEqual(readFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf')), Buffer.from(MODEL))
    assert.deepEqual(bed.progress.at(-1), { file: 'tiny-Q4_K_M.gguf', done: MODEL.length, total: MODEL.length })
  })

  it('fetches nothing that is there already', async () => {
    await using bed = await openBed()
    await bed.pull()
    const before = ranges(bed).length
    assert.equal((await bed.pull()).isNew, false)
    assert.equal(ranges(bed).length, before)
  })

  it('goes on where the connection was lost, as often as it takes', async () => {
    await using bed = await openBed()
    // Cut when all that was sent has arrived.
    const beforeCut = async (sent: number) => {
      while ((bed.progress.at(-1)?.done ?? 0) < sent) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    bed.hub.faults = { cutAt: CUT, times: 3, beforeCut }
    await bed.pull()
    assert.deepEqual(readFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf')), Buffer.from(MODEL))
    assert.deepEqual(ranges(bed), [null, ...[1, 2, 3].map((times) => `bytes=${times * CUT}-`)])
  })

  it('gives up when nothing more comes, and goes on at the next command', async () => {
    await using bed = await openBed()
    bed.hub.faults = { cutAt: CUT, times: 1 }
    const controller = new AbortController()
    const stopped = bed.pull(undefined, {
      signal: controller.signal,
      onProgress: ({ done }) => done >= CUT / 2 && controller.abort(),
    })
    await assert.rejects(stopped, failsWith(/run the same command to go on/))
    assert.ok(bed.files().includes('tiny-Q4_K_M.gguf.part'))
    assert.ok(!bed.files().includes('tiny-Q4_K_M.gguf'))
    bed.hub.faults = {}
    await bed.pull()
    assert.match(ranges(bed).at(-1) ?? '', /^bytes=[1-9]/)
    assert.deepEqual(bed.files(), ['tiny-Q4_K_M.gguf'])
    assert.deepEqual(readFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf')), Buffer.from(MODEL))
  })

  it('tells when the connection is lost again and again', async () => {
    await using bed = await openBed()
    bed.hub.faults = { cutAt: 0 }
    await assert.rejects(bed.pull(), failsWith(/lost again and again/))
    assert.ok(ranges(bed).length <= 7)
  })

  it('begins anew when the server does not know ranges', async () => {
    await using bed = await openBed()
    bed.hub.faults = { cutAt: CUT, times: 1, ignoresRange: true }
    await bed.pull()
    assert.deepEqual(readFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf')), Buffer.from(MODEL))
  })

  it('throws away what has the wrong checksum', async () => {
    await using bed = await openBed()
    const wrong = 'a'.repeat(64)
    bed.hub.faults = { listedSha256: wrong, linkedSha256: wrong }
    await assert.rejects(bed.pull(), failsWith(new RegExp(`checksum is wrong.*${sha256(MODEL)} instead of ${wrong}`)))
    assert.deepEqual(bed.files(), [])
  })

  it('fetches nothing when the list and the file say different checksums', async () => {
    await using bed = await openBed()
    bed.hub.faults = { linkedSha256: 'b'.repeat(64) }
    await assert.rejects(bed.pull(), failsWith(/has changed on the server/))
    assert.ok(!bed.files().includes('tiny-Q4_K_M.gguf'))
  })

  for (const [what, faults] of [
    ['the list', { listedSize: MODEL.length + 5 }],
    ['the reply', { announcedSize: MODEL.length - 5 }],
  ] as const) {
    it(`refuses a file that is not as long as ${what} says`, async () => {
      await using bed = await openBed()
      bed.hub.faults = faults
      await assert.rejects(bed.pull(), failsWith(/the server says that the file has \d+ bytes; it should have \d+/))
      assert.ok(!bed.files().includes('tiny-Q4_K_M.gguf'))
    })
  }

  it('refuses what needs more than the disk has', async () => {
    await using bed = await openBed()
    const huge = 2 ** 52
    bed.hub.faults = { listedSize: huge, announcedSize: huge }
    await assert.rejects(bed.pull(), failsWith(/the disk has .* MB free; the file needs .* MB/))
  })

  it('refuses what is no model', async () => {
    await using bed = await openBed({ 'x.gguf': Buffer.from('<html>an error page</html>') })
    await assert.rejects(bed.pull(), failsWith(/is no GGUF file/))
    assert.deepEqual(bed.files(), [])
  })

  it('does not continue another version of the file', async () => {
    await using bed = await openBed()
    bed.hub.faults = { cutAt: CUT }
    const url = `${bed.hub.store}/bytes/tiny-Q4_K_M.gguf`
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    await assert.rejects(bed.pull(url, { signal: controller.signal, onProgress }), PullFailed)
    bed.hub.put('tiny-Q4_K_M.gguf', OTHER)
    bed.hub.faults = {}
    await bed.pull(url)
    assert.deepEqual(readFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf')), Buffer.from(OTHER))
  })

  it('does not write over another file of the same name', async () => {
    await using bed = await openBed()
    writeFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf'), OTHER)
    await assert.rejects(bed.pull(), failsWith(/is there already and is another file/))
    assert.deepEqual(readFileSync(join(bed.dir, 'tiny-Q4_K_M.gguf')), Buffer.from(OTHER))
  })

  it('shows the token to the hub and to nobody it redirects to', async () => {
    await using bed = await openBed()
    await bed.pull()
    for (const { path, authorization } of bed.hub.requests) {
      assert.equal(authorization, path.startsWith('/bytes/') ? null : 'Bearer hf_secret', path)
    }
    assert.ok(bed.hub.requests.some(({ path }) => path.startsWith('/bytes/')))
  })

  it('follows no redirect to where nothing is encrypted, nor one that leads in a circle', async () => {
    await using bed = await openBed()
    bed.hub.faults = { redirectTo: 'http://models.example/x.gguf' }
    await assert.rejects(bed.pull(), failsWith(/leads away from https/))
    bed.hub.faults = { redirectTo: '/owner/repo/resolve/main/tiny-Q4_K_M.gguf' }
    await assert.rejects(bed.pull(), failsWith(/more than 8 redirects/))
    bed.hub.faults = { redirectTo: 'http://[' }
    await assert.rejects(bed.pull(), failsWith(/leads nowhere/))
  })

  it('takes all parts of a model that is split', async () => {
    const parts = { 'big-Q8_0-00001-of-00002.gguf': MODEL, 'big-Q8_0-00002-of-00002.gguf': OTHER }
    await using bed = await openBed(parts)
    assert.equal((await bed.pull('hf:owner/repo:q8_0')).name, 'big-Q8_0')
    assert.deepEqual(bed.files(), Object.keys(parts))
  })

  it('takes the quantisation that is asked for, else one that most can run, and names those there are', async () => {
    const files = { 'm-Q8_0.gguf': MODEL, 'm-Q4_K_M.gguf': MODEL, 'mmproj-Q4_K_M.gguf': OTHER, 'README.md': OTHER }
    await using bed = await openBed(files)
    assert.equal((await bed.pull('hf:owner/repo')).name, 'm-Q4_K_M')
    assert.equal((await bed.pull('hf:owner/repo:Q8_0')).name, 'm-Q8_0')
    assert.equal((await bed.pull('hf:owner/repo:m-Q8_0.gguf')).name, 'm-Q8_0')
    const none = failsWith(/there is no "Q4_K"; the repository has m-Q8_0\.gguf, m-Q4_K_M\.gguf$/)
    await assert.rejects(bed.pull('hf:owner/repo:Q4_K'), none)
  })

  it('explains what the hub refuses', async () => {
    await using bed = await openBed()
    bed.hub.faults = { status: 401 }
    await assert.rejects(bed.pull(), failsWith(/HF_TOKEN may not read it/))
    const token = { endpoint: bed.hub.endpoint, token: null }
    await assert.rejects(bed.pull(undefined, { hub: token }), failsWith(/set HF_TOKEN/))
    bed.hub.faults = { status: 404 }
    await assert.rejects(bed.pull(), failsWith(/there is no repository owner\/repo/))
    await assert.rejects(
      bed.pull(undefined, { hub: { endpoint: 'http://127.0.0.1:1', token: null } }),
      failsWith(/the hub cannot be reached/),
    )
  })

  it('copies a file, when it is a model', async () => {
    await using bed = await openBed()
    const folder = mkdtempSync(join(tmpdir(), 'antiphon-file-'))
    const [good, bad] = [join(folder, 'mine.gguf'), join(folder, 'bad.gguf')]
    writeFileSync(good, MODEL)
    writeFileSync(bad, 'something else')
    assert.equal((await bed.pull(good)).name, 'mine')
    await assert.rejects(bed.pull(bad), failsWith(/is no GGUF file/))
    await assert.rejects(bed.pull(join(folder, 'none.gguf')), failsWith(/cannot be read/))
    assert.deepEqual(bed.files(), ['mine.gguf'])
    assert.ok(existsSync(good))
    rmSync(folder, { recursive: true })
  })

  it('names what it cannot take', async () => {
    await using bed = await openBed()
    for (const [source, why] of [
      ['hf:owner', /should be hf:OWNER\/REPO/],
      ['hf:../..', /should be|no repository/],
      ['llama', /neither hf:OWNER\/REPO/],
      ['http://models.example/x.gguf', /only https/],
      ['https://user:secret@models.example/x.gguf', /makes no sense/],
      ['https://models.example/', /no name for a model/],
      ['https://models.example/%2e%2e%2f.gguf', /no name for a model/],
    ] as const) {
      await assert.rejects(bed.pull(source), failsWith(why), source)
    }
  })
})
