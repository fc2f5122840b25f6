/** An item as it is listed. */
import type { Item } from '../protocol/items.ts'
import type { Include } from '../protocol/options.ts'

/** What is large, or only for the model, comes only when it is asked for. */
export function shownItem(item: Item, include: readonly Include[]): Item {
  switch (item.type) {
    case 'message':
      return include.includes('message.input_image.image_url') ? item : withoutImageBytes(item)
    case 'file_search_call':
      return include.includes('file_search_call.results') ? item : { ...item, results: null }
    case 'code_interpreter_call':
      return include.includes('code_interpreter_call.outputs') ? item : { ...item, outputs: null }
    case 'web_search_call': {
      if (item.action.type !== 'search' || include.includes('web_search_call.action.sources')) return item
      const { sources: _, ...action } = item.action
      return { ...item, action }
    }
    default:
      return item
  }
}

/** Inline images are large. A link is no secret and stays. */
function withoutImageBytes(item: Extract<Item, { type: 'message' }>): Item {
  if (item.role === 'assistant') return item
  if (!item.content.some((part) => part.type === 'input_image' && part.image_url?.startsWith('data:'))) return item
  return {
    ...item,
    content: item.content.map((part) =>
      part.type === 'input_image' && part.image_url?.startsWith('data:') ? { ...part, image_url: null } : part,
    ),
  }
}
