/**
 * What SPF says of one sending address at a receiver, and which term decided.
 */
import { DnsTrouble, type Resolver } from '../dns/resolver.ts'
import type { DomainName } from '../mail/ids.ts'
import { tellAlignment } from './explain-alignment.ts'
import { fillBoth, joinBoth, spfTexts } from './explain-texts.ts'
import { evaluateSpf, matchedTerms } from './records/spf-evaluation.ts'
import type { WalkedSender } from './records/spf-walk.ts'
import type { ReceivedPolicy, SpfVerdict } from './verdicts.ts'

export interface SpfSurroundings {
  readonly from: DomainName
  readonly resolver: Resolver
  readonly policy: ReceivedPolicy
}

const decided = ['pass', 'fail', 'softfail', 'neutral']

export async function judgeSender(
  sender: WalkedSender,
  { from, resolver, policy }: SpfSurroundings,
): Promise<SpfVerdict> {
  const { result, text } = await evaluateSpf(sender, resolver)
  const terms = decided.includes(result) ? await termsOf(sender, resolver) : []
  const { ip, domain } = sender
  const alignment = tellAlignment(domain, from, policy.aspf)
  const term = terms.join(' → ') || '–'
  const said = fillBoth(spfTexts[result], { ip, domain, text, term })
  const message = result === 'pass' ? joinBoth([said, alignment.message]) : said
  return { domain, result, terms, aligned: alignment.aligned, message }
}

async function termsOf(sender: WalkedSender, resolver: Resolver): Promise<readonly string[]> {
  try {
    return await matchedTerms(sender, resolver)
  } catch (error) {
    if (error instanceof DnsTrouble) return []
    throw error
  }
}
