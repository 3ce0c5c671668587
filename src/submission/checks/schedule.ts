/**
 * Mail for later is kept so long and no longer (RFC 4865 §5), and wishes must be such that they can be read.
 *
 * A moment past is no mistake: the client's clock may differ, and the mail goes out at once.
 */
import { replies, SmtpError } from '../replies.ts'
import { holdEnd } from '../wishes.ts'
import type { Check } from './check.ts'

export const schedule: Check = {
  name: 'schedule',
  mail({ command, limits, now }) {
    const { maxFutureRelease } = limits
    if (command.hold === undefined) return
    if (maxFutureRelease === 0) throw new SmtpError(replies.unknownParameter('HOLDFOR or HOLDUNTIL'))
    if (holdEnd(command.hold, now) > now + maxFutureRelease) throw new SmtpError(replies.holdTooLong(maxFutureRelease))
  },
  message({ wishes, limits, now }) {
    const { maxFutureRelease } = limits
    if (wishes.refusal !== null) throw new SmtpError(wishes.refusal)
    if (wishes.sendAt !== null && wishes.sendAt > now + maxFutureRelease)
      throw new SmtpError(maxFutureRelease === 0 ? replies.sendAtOff : replies.sendAtTooLate(now + maxFutureRelease))
    return undefined
  },
}
