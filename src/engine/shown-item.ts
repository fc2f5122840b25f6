/** An item as it is listed. */
import type { Item } from '../protocol/items.ts'
import type { Include } from '../protocol/options.ts'

/** Inline images are large; their bytes come only when asked for. A link is no secret and stays. */
export function shownItem(item: Item, include: readonly Include[]): Item {
  if (include.includes('message.input_image.image_url')) return item
  if (item.type !== 'message' || item.role === 'assistant') return item
  if (!item.content.some((part) => part.type === 'input_image' && part.image_url?.startsWith('data:'))) return item
  return {
    ...item,
    content: item.content.map((part) =>
      part.type === 'input_image' && part.image_url?.startsWith('data:') ? { ...part, image_url: null } : part,
    ),
  }
}
