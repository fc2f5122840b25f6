/** The scripted upstream as a process of its own: `PORT` (0: any free one), `SHAPE`, `API_KEY`, `MODELS` (a,b,c). */
import { CHAT_SHAPES } from './chat-shapes.ts'
import { startChatUpstream } from './chat-upstream.ts'

const { PORT, SHAPE, API_KEY, MODELS } = process.env
const shape = CHAT_SHAPES.find((known) => known === SHAPE)
const upstream = await startChatUpstream({
  port: Number(PORT ?? 0),
  record: false,
  ...(shape ? { shape } : {}),
  ...(API_KEY ? { apiKey: API_KEY } : {}),
  ...(MODELS ? { models: MODELS.split(',') } : {}),
})
process.stdout.write(`listening ${upstream.url}\n`)

const stop = () => void upstream.close().then(() => process.exit(0))
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
