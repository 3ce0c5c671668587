/**
 * After each test file: no socket, server, worker or child process may be left behind.
 *
 * Node names what keeps it alive; standard streams and mocha's own timers don't count.
 */
const harmless = new Set(['TTYWrap', 'PipeWrap', 'FSReqCallback', 'Timeout', 'Immediate', 'CloseReq', 'FSEvent'])

export const mochaHooks = {
  async afterAll(): Promise<void> {
    const deadline = performance.now() + 5000
    while (left().length > 0 && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 20))
    if (left().length > 0) throw new Error(`left behind after all tests: ${left().join(', ')}`)
  },
}

function left(): string[] {
  return process.getActiveResourcesInfo().filter(name => !harmless.has(name))
}
