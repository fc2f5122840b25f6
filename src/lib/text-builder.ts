/**
 * A long text out of many short pieces, at about the memory of its characters.
 *
 * `text += piece` keeps every piece, and a node of 32 bytes for each, until somebody reads the text: 60 bytes for a token
 * of five letters, for as long as the response runs. Here pieces are joined as soon as they make up a block.
 */
const BLOCK_CHARS = 4_096

export interface TextBuilder {
  add(piece: string): void
  toString(): string
}

export function createTextBuilder(): TextBuilder {
  let blocks = ''
  let pieces = ''
  return {
    add(piece) {
      pieces += piece
      if (pieces.length < BLOCK_CHARS) return
      // There and back makes one string of them. Cheaper tricks are seen through by the optimiser, and left out.
      blocks += Buffer.from(pieces, 'utf16le').toString('utf16le')
      pieces = ''
    },
    toString: () => blocks + pieces,
  }
}
