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
      // A program that ran it goes on with what it gave.
      return item.caller || include.includes('code_interpreter_call.outputs') ? item : { ...item, outputs: null }
    case 'web_search_call': {
      if (item.action.type !== 'search' || include.includes('web_search_call.action.sources')) return item
      const { sources: _, ...action } = item.action
      return { ...item, action }
    }
    case 'computer_call_output':
      return include.includes('computer_call_output.output.image_url') ? item : withoutScreenshot(item)
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

function withoutScreenshot(item: Extract<Item, { type: 'computer_call_output' }>): Item {
  const { image_url: url, ...output } = item.output
  return url?.startsWith('data:') ? { ...item, output } : item
}
