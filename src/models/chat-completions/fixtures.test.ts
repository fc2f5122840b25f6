import {
  type ChatFixture,
  completeAt,
  decodeWire,
  fixtureTurn,
  readFixtures,
} from '../../../test/fakes/chat-fixtures.ts'
import { startChatUpstream } from '../../../test/fakes/chat-upstream.ts'
import { openContractSubject } from '../../../test/fakes/contract-subject.ts'
import { replayContract } from '../replay.contract.ts'
import { createChatCompletionsModel } from './chat-completions-model.ts'
import { quirksOf } from './providers.ts'

replayContract<ChatFixture>('chat completions', {
  replies: readFixtures(),
  turn: fixtureTurn,
  decode: decodeWire,
  completeAt,
  open: ({ provider }) =>
    openContractSubject({
      provider,
      start: (script) => startChatUpstream({ script }),
      // The fake is as strict as OpenAI; only the reply is another vendor's.
      create: (options) =>
        createChatCompletionsModel({ ...options, quirks: { ...quirksOf(provider), streamOptions: true } }),
    }),
})
