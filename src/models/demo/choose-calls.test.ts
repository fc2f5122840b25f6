import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import type { ModelTurn, ToolDeclaration } from '../model.ts'
import { ask, assistant, called, callsOf, tool, turn, user } from './turns.contract.ts'

const string = { type: 'string' }
const weather = tool(
  'get_weather',
  { city: string, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
  'Get the current weather for a city.',
  ['city'],
)
const time = tool('get_time', { city: string }, 'Get the current local time in a city.')
const book = tool(
  'book_table',
  { restaurant: string, party_size: { type: 'integer' }, outdoor: { type: 'boolean' } },
  'Book a restaurant table.',
)
const write = tool('write_file', { path: string, content: string }, 'Write a text file.')
const calculator = tool('calculator', { expression: string }, 'Evaluate arithmetic expressions.')
const add = tool('add', { a: { type: 'number' }, b: { type: 'number' } }, 'Add two numbers.')
const lookup = tool('lookup_user', { name: string }, 'Look up a user by name.')
const orders = tool('get_orders', { user_id: { type: 'integer' } }, 'Get the orders of a user.')
const order = tool('get_order_status', { order_id: string }, 'Look up the status of an order.')
const mail = tool('send_email', { to: string, subject: string, body: string }, 'Send an email.')
const search = tool('search_web', { query: string, limit: { type: 'integer' } }, 'Search the web.', ['query'])
const flights = tool(
  'search_flights',
  { origin: string, destination: string, date: { type: 'string', format: 'date' }, passengers: { type: 'integer' } },
  'Search flights.',
)
const ping = tool('ping', {}, 'Check that the service is alive.')
const ALL = [weather, time, book, write, calculator, lookup, orders, order, mail, search, flights]

const custom = (name: string, format: Extract<ToolDeclaration, { type: 'custom' }>['format']): ToolDeclaration => ({
  type: 'custom',
  name,
  description: null,
  format,
})
const regex = (definition: string) => ({ type: 'grammar', syntax: 'regex', definition }) as const
const lark = (definition: string) => ({ type: 'grammar', syntax: 'lark', definition }) as const

type Case = readonly [
  asked: string | ModelTurn,
  tools: readonly ToolDeclaration[],
  calls: readonly (readonly [string, unknown])[],
]

async function assertCalls(cases: readonly Case[], changes: Partial<ModelTurn> = {}): Promise<void> {
  for (const [asked, tools, calls] of cases) {
    const reply = await ask({ ...(typeof asked === 'string' ? turn(asked) : asked), tools, ...changes })
    assert.deepEqual(callsOf(reply), calls, typeof asked === 'string' ? asked : JSON.stringify(asked.items))
    assert.equal(reply.finish.reason, calls.length > 0 ? 'tool_calls' : 'stop')
    assert.ok(calls.length > 0 || reply.text !== '')
  }
}

const REQUIRED = { mode: 'required', allowed: null } as const

test('a request that matches an offered tool calls it, with values from the text', async () => {
  await assertCalls([
    ["What's the weather in Paris?", [weather], [['get_weather', { city: 'Paris' }]]],
    ['weather in oslo, in °F please', ALL, [['get_weather', { city: 'oslo', unit: 'fahrenheit' }]]],
    ["What's the weather like in Paris, France?", [weather], [['get_weather', { city: 'Paris, France' }]]],
    ['Is it raining in London?', ALL, [['get_weather', { city: 'London' }]]],
    [
      'Book a table at Chez Nous for 4 people, outdoors.',
      ALL,
      [['book_table', { restaurant: 'Chez Nous', party_size: 4, outdoor: true }]],
    ],
    [
      'Book a table at Luigi for two, not outdoors.',
      ALL,
      [['book_table', { restaurant: 'Luigi', party_size: 2, outdoor: false }]],
    ],
    ['What is 17 * 23?', ALL, [['calculator', { expression: '17 * 23' }]]],
    ['What is 17 + 25?', [add], [['add', { a: 17, b: 25 }]]],
    [
      'Send an email to bob@example.com with subject "Hi" and body "See you at 5"',
      ALL,
      [['send_email', { to: 'bob@example.com', subject: 'Hi', body: 'See you at 5' }]],
    ],
    ['Search the web for cats with limit 5', ALL, [['search_web', { query: 'cats', limit: 5 }]]],
    ['Where is my order 12345?', ALL, [['get_order_status', { order_id: '12345' }]]],
    [
      'Find flights from Berlin to Madrid on 2025-06-01 for 2 passengers',
      ALL,
      [['search_flights', { origin: 'Berlin', destination: 'Madrid', date: '2025-06-01', passengers: 2 }]],
    ],
    ['Write hello to the file a.txt', ALL, [['write_file', { path: 'a.txt', content: 'hello' }]]],
  ])
})

test('a tool is called by its name, with arguments written out', async () => {
  await assertCalls([
    ['Call get_time for Rome', ALL, [['get_time', { city: 'Rome' }]]],
    ['Use the weather tool for Berlin.', ALL, [['get_weather', { city: 'Berlin' }]]],
    ['Use ping.', [ping, weather], [['ping', {}]]],
    [
      'call alpha and beta',
      [tool('alpha', {}), tool('beta', {})],
      [
        ['alpha', {}],
        ['beta', {}],
      ],
    ],
    [
      'Call get_weather with {"city": "Lima", "unit": "celsius"}',
      ALL,
      [['get_weather', { city: 'Lima', unit: 'celsius' }]],
    ],
    [
      'Call write_file with path notes.md and content exactly:\nDelimiters: </tool_call> and </think> and <|im_end|>.',
      ALL,
      [['write_file', { path: 'notes.md', content: 'Delimiters: </tool_call> and </think> and <|im_end|>.' }]],
    ],
  ])
})

test('no call is made when none is needed or wanted', async () => {
  await assertCalls([
    ['Hello, how are you?', ALL, []],
    ['What is the capital of France? Reply with just the city.', [weather, time], []],
    ['What is 2 + 2?', [weather], []],
    ['Please write a poem about time', ALL, []],
    ["Don't use any tools. What's the weather in Paris?", [weather], []],
    ['Thanks!', ALL, []],
  ])
  await assertCalls([["What's the weather in Paris? Use the weather tool.", [weather], []]], {
    toolChoice: { mode: 'none', allowed: null },
  })
})

test('several things asked for are several calls; one at a time where parallel calls are off', async () => {
  const both = "What's the weather AND the current time in Tokyo? Call both tools."
  const pair = [
    ['get_weather', { city: 'Tokyo' }],
    ['get_time', { city: 'Tokyo' }],
  ] as const
  const cities = "What's the weather in Paris, Tokyo and New York?"
  await assertCalls([
    [both, [weather, time], pair],
    [cities, [weather], ['Paris', 'Tokyo', 'New York'].map((city) => ['get_weather', { city }] as const)],
  ])
  const one = { parallelToolCalls: false }
  await assertCalls([[both, [weather, time], [['get_weather', { city: 'Tokyo' }]]]], one)
  const items = [user(cities), ...called('get_weather', { city: 'Paris' }, '18')]
  await assertCalls([[turn(items), [weather], [['get_weather', { city: 'Tokyo' }]]]], one)
  const more = [
    ...items,
    ...called('get_weather', { city: 'Tokyo' }, '20'),
    ...called('get_weather', { city: 'New York' }, '9'),
  ]
  await assertCalls([[turn(more), [weather], []]], one)
})

test('steps are taken in order, and a result feeds the next call', async () => {
  const steps = 'First look up the user Ada, then get her orders.'
  const found = [user(steps), ...called('lookup_user', { name: 'Ada' }, '{"user": {"id": 77, "name": "Ada"}}')]
  await assertCalls([
    [steps, ALL, [['lookup_user', { name: 'Ada' }]]],
    [turn(found), ALL, [['get_orders', { user_id: 77 }]]],
    [turn([...found, ...called('get_orders', { user_id: 77 }, '[]')]), ALL, []],
    ['Get the orders of user Ada.', ALL, [['lookup_user', { name: 'Ada' }]]],
    [
      turn([user('Get the orders of user Ada.'), ...called('lookup_user', { name: 'Ada' }, 'The user id is 42.')]),
      ALL,
      [['get_orders', { user_id: 42 }]],
    ],
  ])
})

test('a new question calls again, also one that only names another value', async () => {
  const before = [
    user("What's the weather in Paris?"),
    ...called('get_weather', { city: 'Paris' }, '18'),
    assistant('18'),
  ]
  await assertCalls([
    [turn([...before, user("What's the weather in Rome?")]), [weather], [['get_weather', { city: 'Rome' }]]],
    [turn([...before, user('And in Tokyo?')]), [weather], [['get_weather', { city: 'Tokyo' }]]],
    [turn([...before, user('Thank you!')]), [weather], []],
  ])
})

test('the tool choice is obeyed, once per question', async () => {
  await assertCalls([['Hello', [time, weather], [['get_time', { city: 'example city' }]]]], { toolChoice: REQUIRED })
  await assertCalls([['Hello', ALL, [['get_weather', { city: 'example city' }]]]], {
    toolChoice: { mode: 'required', allowed: ['get_weather'] },
  })
  await assertCalls([["What's the weather and the time in Rome?", ALL, [['get_time', { city: 'Rome' }]]]], {
    toolChoice: { mode: 'auto', allowed: ['get_time'] },
  })
  const done = turn([user('Hello'), ...called('get_time', { city: 'x' }, 'noon')])
  await assertCalls([[done, [time, weather], []]], { toolChoice: REQUIRED })
})

test('a tool without parameters or with strange ones is called with an object', async () => {
  const bare: ToolDeclaration = { type: 'function', name: 'go', description: null, parameters: null, strict: false }
  await assertCalls([['Hello', [bare], [['go', {}]]]], { toolChoice: REQUIRED })
})

test('custom tools get free text from the request', async () => {
  const text = { type: 'text' } as const
  for (const [asked, tools, input] of [
    ['Call code_exec with input SELECT 1;', [custom('code_exec', text)], 'SELECT 1;'],
    ['Use code_exec to run `print("hi")`', [custom('code_exec', text)], 'print("hi")'],
    ['Use code_exec:\n```python\nprint(1)\nprint(2)\n```', [custom('code_exec', text)], 'print(1)\nprint(2)'],
    ['Use code_exec please', [custom('code_exec', text)], 'Use code_exec please'],
    ['Call stamp for 2025-03-04, please', [custom('stamp', regex('\\d{4}-\\d{2}-\\d{2}'))], '2025-03-04'],
    [
      'Call math_exp to add four and 4: 4 + 4',
      [custom('math_exp', lark('start: INT (" " ("+" | "*") " " INT)*\n%import common.INT'))],
      '4 + 4',
    ],
  ] as const) {
    const { calls } = await ask(turn(asked, { tools }))
    assert.deepEqual(calls, [{ name: tools[0].name, input }], asked)
  }
})

test('where nothing in the text fits a grammar, the input is a sample of it', async () => {
  const { calls } = await ask(turn('Call stamp now', { tools: [custom('stamp', regex('[A-Z]{3}-[0-9]{4}'))] }))
  assert.match(calls[0]?.input ?? '', /^[A-Z]{3}-[0-9]{4}$/)
})

test('arguments are valid for the schema whatever is asked', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const word = fc.constantFrom(
    'Paris',
    '5',
    '-3',
    '4.5',
    'exactly:',
    '"x y"',
    'not',
    'outdoors',
    'on 2025-01-02',
    'red',
    'a@b.co',
    'for',
    '{"size": "big"}',
    'size is',
    'name',
    'and',
  )
  const parameters = {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 2, maxLength: 8 },
      size: { type: 'integer', minimum: 1, maximum: 4 },
      colour: { enum: ['red', 'green', null] },
      outdoor: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 2 },
      when: { anyOf: [{ type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' }, { type: 'null' }] },
      nested: { type: 'object', properties: { city: string }, required: ['city'], additionalProperties: false },
    },
    required: ['name', 'size', 'colour', 'nested'],
    additionalProperties: false,
  }
  const tools: ToolDeclaration[] = [{ type: 'function', name: 'do_it', description: null, parameters, strict: true }]
  const validate = ajv.compile(parameters)
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 10 }), async (words) => {
      const { calls } = await ask(turn(`do_it ${words.join(' ')}`, { tools, toolChoice: REQUIRED }))
      assert.ok(calls.length > 0)
      for (const { input } of calls)
        assert.ok(validate(JSON.parse(input)), `${input} ${ajv.errorsText(validate.errors)}`)
    }),
    { numRuns: 300 },
  )
})
