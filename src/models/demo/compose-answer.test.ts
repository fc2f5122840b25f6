import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markForeign } from '../../tools/tool.ts'
import type { ModelTurn } from '../model.ts'
import { ask, assistant, called, said, turn, user } from './turns.contract.ts'

type Case = readonly [asked: string | ModelTurn, answer: string | RegExp]

async function assertAnswers(cases: readonly Case[]): Promise<void> {
  for (const [asked, wanted] of cases) {
    const { text } = await ask(asked)
    const label = typeof asked === 'string' ? asked : JSON.stringify(asked.items)
    if (typeof wanted === 'string') assert.equal(text, wanted, label)
    else assert.match(text, wanted, label)
  }
}

const chat = (...lines: readonly string[]) =>
  turn(lines.map((line, index) => (index % 2 === 0 ? user(line) : assistant(line))))
const under = (instructions: string, text = 'How are things?') => turn(text, { instructions })
const FILLER = 'Rivers carry sand to the sea. Some mountains are old, others are young. '.repeat(110)

test('by default it quotes the message, counts, and says what it is', async () => {
  await assertAnswers([
    ['Blue elephants juggle.', /You said: "Blue elephants juggle\.".*one message.*demo model/],
    [chat('One.', 'ok', 'Two.'), /"Two\.".*2 messages/],
    ['Hello!', /^Hello! .*demo model/],
    ['Who are you?', /demo model: fixed rules, not a language model/],
    [turn([]), /no text/],
  ])
})

test('it says what it is asked to say, byte for byte', async () => {
  await assertAnswers([
    ['Reply with exactly: PONG!', 'PONG!'],
    [
      'Repeat this exactly, nothing else: Ünï · 日本 🎉 · «q» · <|im_end|> </think>',
      'Ünï · 日本 🎉 · «q» · <|im_end|> </think>',
    ],
    ['Echo: a  b\n c', 'a  b\n c'],
    ['Say "pong".', 'pong'],
    ['Reply with the single word OK', 'OK'],
    ['Please respond with the word CONFIRMED only.', 'CONFIRMED'],
    ['Just reply with PONG', 'PONG'],
    ['Answer in one word: ready', 'ready'],
    ['Say hi.', 'Hi!'],
    ['Say hello in exactly three words.', /^\S+ \S+ \S+$/],
    ['Say hello in exactly one word.', 'Hello'],
  ])
})

test('a question about a quoted text is not a wish to hear it', async () => {
  await assertAnswers([
    ['What does `ping` return?', /You said/],
    ['Answer the question "who are you"', /demo model/],
  ])
})

test('it recalls what was said, the latest word for each thing', async () => {
  await assertAnswers([
    [chat('My name is Ada. Remember it.', 'Noted.', 'What is my name? Reply with just the name.'), 'Ada'],
    [chat("Hi, I'm Grace Hopper!", 'Hi', 'Who am I?'), /Grace Hopper/],
    [chat('The code word is ZEBRA-42.', 'ok', 'what is the code word?'), /ZEBRA-42/],
    [chat('BANANA-7 is the launch code.', 'ok', 'What is the launch code?'), /BANANA-7/],
    [
      chat('My favourite colour is red.', 'ok', 'My favourite colour is teal.', 'ok', 'What is my favourite colour?'),
      /teal/,
    ],
    [chat("My name is Bob and my dog's name is Rex.", 'ok', "What's my dog's name?"), /Rex/],
    [chat("My dog's name is Rex.", 'ok', "What's my name?"), /do not know your name/],
    [chat('Please remember the number 8812.', 'ok', 'Which number did I ask you to remember?'), /8812/],
    [chat('Remember that the meeting is on Tuesday at noon.', 'ok', 'When is the meeting?'), /Tuesday at noon/],
    [chat('I live in Oslo.', 'ok', 'Where do I live?'), /Oslo/],
    [
      chat('My sister adopted three ferrets yesterday.', 'ok', 'How many ferrets did my sister adopt?'),
      /three ferrets/,
    ],
    [turn('What is my name?', { instructions: "The user's name is Grace." }), /Grace/],
    [turn('What is your name?', { instructions: 'Your name is Marvin.' }), /Marvin/],
  ])
})

test('it finds a needle in a long text, wherever it lies', async () => {
  const needle = 'The secret code is XK-7719. '
  const question = '\n\nWhat is the secret code? Reply with just the code.'
  await assertAnswers([
    [needle + FILLER + FILLER + question, 'XK-7719'],
    [FILLER + needle + FILLER + question, 'XK-7719'],
    [FILLER + FILLER + needle + question, 'XK-7719'],
    [turn([said('developer', FILLER + needle + FILLER), user('What is the secret code?')]), /XK-7719/],
    [chat(FILLER + needle + FILLER, 'Read.', 'Tell me the secret code.'), /XK-7719/],
  ])
})

test('it knows the conversation itself', async () => {
  await assertAnswers([
    [chat('Alpha.', 'Beta.', 'What was my first message?'), /"Alpha\."/],
    [chat('Alpha.', 'Beta.', 'What did you say?'), /"Beta\."/],
    [chat('Alpha.', 'Beta.', 'Gamma.', 'Delta.', 'What did I just say?'), /"Gamma\."/],
    [chat('Alpha.', 'Beta.', 'How many messages have I sent?'), /sent 2 messages/],
    [chat('Alpha.', 'Beta.', 'Summarize our conversation'), /1\. Alpha\./],
  ])
})

test('arithmetic and counting are worked out', async () => {
  await assertAnswers([
    ['What is 17 * 23?', '17 * 23 = 391.'],
    ['What is 17 * 3? Reply with only the number and nothing else.', '51'],
    ['What is five plus seven?', '5 + 7 = 12.'],
    ['Compute (3 + 4) * 2 - 10 / 5', /= 12\.$/],
    ['What is 0.1 + 0.2? Just the number.', '0.3'],
    ['What is 2 to the power of 10? Only the number.', '1024'],
    ['What is the square root of 144? Just the number.', '12'],
    ['1+1=', '1+1 = 2.'],
    [chat('What is 2 + 2?', '4', 'Add 3 to your last answer. Reply with just the number.'), '7'],
    ['Count from 1 to 5.', '1, 2, 3, 4, 5'],
    ['Count down from 3 to 1, one number per line', '3\n2\n1'],
    ['What is the capital of France? Reply with just the city.', 'Paris'],
    ['Which month comes the month after January? One word answer.', 'February'],
  ])
})

test('simple instructions of the system hold for every answer', async () => {
  await assertAnswers([
    [under('You must end every reply with the word BANANA.'), /BANANA$/],
    [under('Append <<END>> to each answer.'), /<<END>>$/],
    [under('Start every answer with "AYE:"'), /^AYE:/],
    [under('You are a pirate; always say Arrr'), /^As a pirate: .*Arrr/],
    [under('Always include the phrase "by the way" in your replies.'), /by the way/],
    [under('Always respond with exactly the word PINEAPPLE and nothing else.'), 'PINEAPPLE'],
    [under('Answer with the word kiwi to everything.'), 'kiwi'],
    [under('Only reply with the word YES'), 'YES'],
    [under('Always answer in uppercase.'), /^[^a-z]+$/],
    [under('Use at most 4 words in a reply.'), /^(\S+ ){3}\S+$/],
    [under('Be concise.', 'What is 6 * 7?'), '42'],
    [under('You are a helpful assistant.', 'What is 6 * 7?'), '6 * 7 = 42.'],
    [
      turn([
        said('developer', 'End each answer with OVER.'),
        user('Hi'),
        assistant('Hi OVER.'),
        user('What is 1 + 1?'),
      ]),
      /OVER$/,
    ],
    [chat('From now on, always end your answers with MEOW.', 'ok MEOW', 'What is 2 + 2?'), /MEOW$/],
  ])
})

test('after a tool has answered it says what the tool said', async () => {
  await assertAnswers([
    [
      turn([user("What's the weather in Paris?"), ...called('get_weather', { city: 'Paris' }, '{"temp_c": 18}')]),
      /get_weather.*\{"temp_c": 18\}/,
    ],
    [turn([user('Weather?'), ...called('get_weather', {}, '')]), /answered with nothing/],
    [turn([user('How warm is it? Just the number.'), ...called('get_weather', {}, 'It is 18 degrees.')]), '18'],
    [
      turn([user('Weather?'), ...called('get_weather', {}, 'rain'), assistant('rain'), user('What is 2 + 2?')]),
      '2 + 2 = 4.',
    ],
  ])
})

test('files are read and pictures described from their bytes', async () => {
  const withPart = (text: string, part: object): ModelTurn => {
    const message = user(text)
    return message.type === 'message' && message.role === 'user'
      ? turn([JSON.parse(JSON.stringify({ ...message, content: [...message.content, part] }))])
      : turn(text)
  }
  const shown = {
    type: 'input_text',
    text: markForeign("the file 'plans.pdf'", 'Plans.\nThe launch code is 0000.'),
  } as const
  const file = {
    type: 'input_file',
    filename: 'notes.txt',
    file_data: `data:text/plain;base64,${Buffer.from('Notes.\nThe launch code is 0000.').toString('base64')}`,
  }
  const png = {
    type: 'input_image',
    detail: 'auto',
    image_url:
      'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  }
  await assertAnswers([
    [withPart('What is the launch code?', file), /0000/],
    [withPart('What is this?', file), /notes\.txt, which begins: "Notes/],
    [withPart('What is this?', { type: 'input_file', file_id: 'file-1' }), /file-1/],
    [withPart('What is the launch code?', shown), /0000/],
    [withPart('What is this?', shown), /plans\.pdf, which begins: "Plans/],
    [withPart('Describe this image.', png), /a red 1x1 PNG image/],
    [withPart('Describe this image in one word.', png), 'red'],
    [withPart('What is in this picture?', { ...png, image_url: 'https://example.com/a.png' }), /not loaded/],
  ])
})

test('parallel conversations do not leak into each other', async () => {
  const names = ['Alice', 'Bob', 'Carol', 'Dave']
  const texts = await Promise.all(
    names.map(
      async (name) => (await ask(chat(`Hi! My name is ${name}.`, 'Hello!', 'What is my name? Just the name.'))).text,
    ),
  )
  assert.deepEqual(texts, names)
})
