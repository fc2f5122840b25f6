/** The upstream of the load tests as a process of its own; prints `READY` and its address. Ends when its input does. */
import { startLoadUpstream } from './load-upstream.ts'

const upstream = await startLoadUpstream({ record: false })
console.log(`READY ${upstream.url}`)
process.stdin.resume().once('end', () => process.exit(0))
