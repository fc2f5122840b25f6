import { localModelContract } from '../model.contract.ts'
import { createDemoModel } from './demo-model.ts'
import { assistant, called, said, testClock, tool, turn, user } from './turns.contract.ts'

const weather = tool('get_weather', { city: { type: 'string' } }, 'Get the weather of a city')

localModelContract('the demo model', {
  model: createDemoModel({ clock: testClock }),
  turns: [
    { name: 'plain text', turn: turn('Hello') },
    { name: 'no user message', turn: turn([]) },
    {
      name: 'a conversation',
      turn: turn([said('developer', 'Be brief.'), user('I am Ada.'), assistant('Hi'), user('Who am I?')]),
    },
    {
      name: 'reasoning and summary',
      turn: turn('What is 2 + 2?', { reasoning: { effort: 'high', summary: 'detailed' } }),
    },
    { name: 'parallel calls', turn: turn('Weather in Paris and Rome?', { tools: [weather] }) },
    {
      name: 'a tool result',
      turn: turn([user('Weather in Paris?'), ...called('get_weather', { city: 'Paris' }, '18')], { tools: [weather] }),
    },
    { name: 'a refusal', turn: turn('[refuse]') },
    { name: 'nothing', turn: turn('[empty]') },
    { name: 'a filter', turn: turn('[filter] Hello') },
    { name: 'a cut', turn: turn('Hello', { maxOutputTokens: 3 }) },
    {
      name: 'cut reasoning',
      turn: turn('Hello', { reasoning: { effort: 'max', summary: 'auto' }, maxOutputTokens: 5 }),
    },
    { name: 'cut arguments', turn: turn('Weather in Paris?', { tools: [weather], maxOutputTokens: 4 }) },
    { name: 'log probabilities', turn: turn('Hello', { topLogprobs: 3 }) },
  ],
  slowTurn: turn('[slow:100] [long:100]'),
})
