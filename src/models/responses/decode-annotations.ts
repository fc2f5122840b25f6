/** An annotation of a reply -> ours, or null for one whose kind or target is unknown. */
import type { Annotation } from '../../protocol/content.ts'
import { asFields, asNumber, asText } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'

const place = (value: unknown): number => Math.max(0, Math.floor(asNumber(value) ?? 0))
const text = (value: unknown): string => storable(asText(value) ?? '')

export function readAnnotation(value: unknown): Annotation | null {
  const annotation = asFields(value)
  const { type } = annotation ?? {}
  if (!annotation) return null
  if (type === 'url_citation') return readUrl(text(annotation.url), annotation)
  const file_id = text(annotation.file_id)
  if (file_id === '') return null
  const filename = text(annotation.filename)
  if (type === 'file_citation') return { type, file_id, filename, index: place(annotation.index) }
  if (type === 'file_path') return { type, file_id, index: place(annotation.index) }
  if (type !== 'container_file_citation') return null
  return { type, container_id: text(annotation.container_id), file_id, filename, ...range(annotation) }
}

const readUrl = (url: string, annotation: Readonly<Record<string, unknown>>): Annotation | null =>
  url === '' ? null : { type: 'url_citation', url, title: text(annotation.title) || url, ...range(annotation) }

function range(annotation: Readonly<Record<string, unknown>>) {
  const start_index = place(annotation.start_index)
  return { start_index, end_index: Math.max(start_index, place(annotation.end_index)) }
}
