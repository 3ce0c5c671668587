/**
 * Runs the dispatcher in worlds drawn by lot and prints what must never be:
 * `node scripts/simulate-dispatcher.ts --seeds FROM-TO [--failing] [--troubled SECONDS] [--recipients N]`.
 *
 * A line per seed: recipients delivered, attempts, seconds until all was at its end; with a fault the world too. Odd seeds have
 * two workers. Ends with 1 when any seed shows a fault.
 */
import { parseArgs } from 'node:util'
import { simulateDispatchers } from '../test/support/dispatcher-simulation.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-20' },
    failing: { type: 'boolean', default: false },
    troubled: { type: 'string', default: '60' },
    recipients: { type: 'string', default: '300' },
  },
})
const range = /^(\d+)-(\d+)$/.exec(values.seeds)
if (!range || !Number(values.troubled) || !Number(values.recipients))
  throw new Error('--seeds takes FROM-TO, such as 1-20; --troubled and --recipients take numbers above 0')

const { failing } = values
const [troubled, recipients] = [Number(values.troubled), Number(values.recipients)]
for (let seed = Number(range[1]); seed <= Number(range[2]); seed++) {
  const { faults, world, delivered, attempts, seconds } = await simulateDispatchers({
    seed,
    failing,
    troubled,
    recipients,
  })
  process.stdout.write(`${seed}: ${delivered} delivered, ${attempts} attempts, ${seconds} s, ${faults.length} faults\n`)
  if (faults.length === 0) continue
  process.exitCode = 1
  process.stdout.write(`${[...faults, ...world.split('\n')].map(line => `   ${line}`).join('\n')}\n`)
}
