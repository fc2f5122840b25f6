/** The thread of `page-parser.ts`: pages in, texts out, one at a time. */
import { parentPort } from 'node:worker_threads'
import { htmlToText, type RawPage } from './page-text.ts'

parentPort?.on('message', async (page: RawPage) => {
  parentPort?.postMessage(await htmlToText(page).catch(() => null))
})
