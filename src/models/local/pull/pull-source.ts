/** What `antiphon pull` is given -> where the files of the model are. */
import { basename } from 'node:path'

/** A pull that cannot succeed, told to the operator; the message says what to do. */
export class PullFailed extends Error {
  override readonly name = 'PullFailed'
}

export type PullSource =
  | {
      readonly type: 'hub'
      /** `OWNER/REPO`. */
      readonly repo: string
      /** A file of the repository or a quantisation as `Q4_K_M`; null: the best of those that are usual. */
      readonly choice: string | null
    }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'file'; readonly path: string }

const HUB =
  /^(?:hf:|hf\.co\/|https:\/\/(?:huggingface\.co|hf\.co)\/)([\w.-]{1,96}\/[\w.-]{1,96})(?::([\w./ -]{1,256}))?$/

/** Throws `PullFailed`. */
export function parsePullSource(text: string): PullSource {
  const hub = HUB.exec(text)
  if (hub?.[1] !== undefined) return { type: 'hub', repo: hub[1], choice: hub[2] ?? null }
  if (text.startsWith('hf:')) {
    throw new PullFailed(`"${text}" should be hf:OWNER/REPO, hf:OWNER/REPO:FILE.gguf or hf:OWNER/REPO:QUANTISATION`)
  }
  if (/^https?:\/\//i.test(text)) return { type: 'url', url: checkUrl(text) }
  if (text.endsWith('.gguf')) return { type: 'file', path: text }
  throw new PullFailed(`"${text}" is neither hf:OWNER/REPO, an https URL nor the path of a .gguf file`)
}

function checkUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') throw new PullFailed('the URL makes no sense')
  if (url.protocol !== 'https:' && !isLoopback(url)) throw new PullFailed('only https URLs are fetched')
  fileNameOf(url)
  return url.href
}

export const isLoopback = ({ hostname }: URL): boolean => /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname)

const FILE_NAME = /^[\w][\w.+ -]{0,200}\.gguf$/

/** Throws `PullFailed` for a name that is no safe name of a model. */
export function safeFileName(path: string): string {
  const name = basename(path)
  if (FILE_NAME.test(name)) return name
  throw new PullFailed(`"${name}" is no name for a model: letters, digits and . _ - + only, and .gguf at its end`)
}

export function fileNameOf(url: URL): string {
  try {
    return safeFileName(decodeURIComponent(url.pathname))
  } catch (error) {
    throw error instanceof PullFailed ? error : new PullFailed('the URL makes no sense')
  }
}
