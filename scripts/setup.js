/**
 * Makes a checkout ready to run: installs the packages of the lock file and the Node they bring along.
 *
 * Plain JavaScript without dependencies, because it runs on whatever Node (20 or newer) the machine has, before
 * anything is installed. Quick when nothing is missing: one comparison of two files.
 * Fails with the exit code of npm when the packages can't be installed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'node_modules', '.kitte-lock')
const ownNode = join(root, 'node_modules', 'node', 'bin', 'node')

if (!isCurrent()) {
  console.error('kitte: installing packages, this happens once …')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  // npm can be set not to run install scripts; this one puts the Node binary in its place.
  if (!existsSync(ownNode)) run(process.execPath, ['node_modules/node/installArchSpecificPackage.js'])
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stamp, readFileSync(join(root, 'package-lock.json')))
}

/** The lock file is the one that was installed, and the Node it brings is there. */
function isCurrent() {
  if (!existsSync(stamp) || !existsSync(ownNode)) return false
  return readFileSync(stamp).equals(readFileSync(join(root, 'package-lock.json')))
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) console.error(`kitte: could not run ${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}
