/**
 * Why a port could not be opened, in words for whoever has to mend it.
 */

export function listenTrouble(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${host}:${port} is in use; stop what listens there or choose another port`
    case 'EACCES':
      return `this user may not listen on ${port}; choose a port above 1023`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this machine has no address ${host}; name one of its own`
    default:
      return `${host}:${port} can't be opened: ${error.message}`
  }
}
