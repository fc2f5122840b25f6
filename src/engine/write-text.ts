/** Writes the texts of a turn, with the citations in them. */
import type { MessageStart } from '../models/model.ts'
import type { Logprob } from '../protocol/content.ts'
import type { Citations, CitedText, TextCiter } from './cite-sources.ts'
import type { EventComposer } from './compose-events.ts'

export interface TextWriter {
  start(message: MessageStart | undefined): void
  delta(delta: string, logprobs: readonly Logprob[]): void
  end(): void
}

export function createTextWriter(composer: EventComposer, citations: Citations): TextWriter {
  /** Null: nothing was found that the text could cite. */
  let citer: TextCiter | null = null
  /** Of tokens whose text is held back. */
  let waiting: Logprob[] = []
  const write = ({ text, annotations }: CitedText) => {
    if (text !== '') {
      composer.message().text(text, waiting)
      waiting = []
    }
    for (const annotation of annotations) composer.message().annotate(annotation)
  }
  return {
    start(message) {
      composer.message(message).startText()
      citer = citations.openText()
    },
    delta(delta, logprobs) {
      if (citer === null) return composer.message().text(delta, logprobs)
      waiting.push(...logprobs)
      write(citer.push(delta))
    },
    end() {
      if (citer !== null) write(citer.end())
      citer = null
      // The last tokens were a mark of which nothing is shown.
      if (waiting.length > 0) composer.message().text('', waiting)
      waiting = []
      composer.message().endPart()
    },
  }
}
