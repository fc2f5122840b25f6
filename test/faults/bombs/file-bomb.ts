/** A file that is made to harm whoever reads it, or that is broken. */
export type FileBomb = {
  /** "a document that is ..." */
  readonly name: string
  readonly filename: string
  /** Small enough to be sent: what makes it large is done by its reader. */
  make(): Buffer
  /** What becomes of it: the kind of its `DocumentError`, or `text` where it can be read without harm. */
  readonly ends: BombEnd
  /** What becomes of it when its pages are drawn, where they can be: `images`, or the kind of its `DocumentError`. */
  readonly drawn?: 'images' | BombEnd
  /** It takes seconds, up to all of its time: only in the full form. */
  readonly isLong?: true
  /** There is nothing in it that could be found. */
  readonly isEmpty?: true
}
export type BombEnd = 'text' | 'unsupported' | 'malformed' | 'encrypted' | 'too-large' | 'empty'

export const MB = 1024 * 1024
