/** What a run says, put together: text that can be stored, and pictures that are pictures. */
import type { CommandOutput } from '../tools/containers.ts'
import type { OutputPiece } from './sandbox.ts'

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export function collectOutput() {
  const pieces = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const images: Uint8Array[] = []
  return {
    images,
    add(piece: OutputPiece): void {
      if (piece.type === 'exit') return
      const { type, bytes } = piece
      if (type !== 'image') pieces[type].push(bytes)
      else if (PNG.equals(bytes.subarray(0, PNG.length))) images.push(bytes)
    },
    texts: () => ({ stdout: toText(pieces.stdout), stderr: toText(pieces.stderr) }),
  }
}

/** The same, piece by piece: of each command and stream, with characters that are cut in two put together. */
export function createTextStreams(tell: (piece: CommandOutput) => void) {
  const decoders = new Map<string, { decode(bytes?: Uint8Array, options?: { stream: boolean }): string }>()
  const ended = new Set<number>()
  const push = (command: number, stream: 'stdout' | 'stderr', bytes: Uint8Array | null) => {
    const key = `${command} ${stream}`
    const decoder = decoders.get(key) ?? new TextDecoder('utf-8')
    decoders.set(key, decoder)
    const text = bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true })
    if (text !== '') tell({ type: stream, command, text: text.replaceAll('\0', '\uFFFD') })
  }
  const finish = (command: number) => {
    ended.add(command)
    for (const stream of ['stdout', 'stderr'] as const) push(command, stream, null)
  }
  return {
    add(piece: OutputPiece): void {
      // What a child of a command says after its end belongs to nobody.
      if (piece.type === 'image' || ended.has(piece.command)) return
      if (piece.type === 'exit') {
        finish(piece.command)
        tell(piece)
      } else push(piece.command, piece.type, piece.bytes)
    },
    /** Those that were ended say what is left of them. */
    close(commands: number): void {
      for (let command = 0; command < commands; command += 1) if (!ended.has(command)) finish(command)
    },
  }
}

/** NUL cannot be stored; half a character at the cut is left out. */
const toText = (pieces: readonly Uint8Array[]): string =>
  new TextDecoder('utf-8')
    .decode(Buffer.concat(pieces))
    .replaceAll('\0', '\uFFFD')
    .replace(/\uFFFD+$/, '')
