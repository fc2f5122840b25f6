/** A page of a list between cursors, as numbers of rows. */
type Cursors = { readonly order: 'asc' | 'desc'; readonly after: string | null; readonly before: string | null }
type Seq = number | undefined

/** The rows between the cursors, both exclusive; null when one of them is unknown. */
export async function rangeOf({ order, after, before }: Cursors, seqOf: (id: string) => Seq | Promise<Seq>) {
  const afterSeq = after === null ? null : await seqOf(after)
  const beforeSeq = before === null ? null : await seqOf(before)
  if (afterSeq === undefined || beforeSeq === undefined) return null
  const [low, high] = order === 'asc' ? [afterSeq, beforeSeq] : [beforeSeq, afterSeq]
  return { from: low ?? 0, to: high ?? Number.MAX_SAFE_INTEGER }
}
