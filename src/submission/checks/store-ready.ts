/**
 * Mail is refused at MAIL while it could not be stored, so that nobody uploads a message for nothing.
 */
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const storeReady: Check = {
  name: 'store-ready',
  mail({ storeAcceptsMail }) {
    if (!storeAcceptsMail) throw new SmtpError(replies.storeTrouble)
  },
}
