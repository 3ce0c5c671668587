/**
 * Rules for what a sender's own SMTP server says to its user: the login, the From address, the limits.
 */
import type { RuleGroup } from './rule.ts'

const limits: RuleGroup = {
  source: 'Google Workspace, Microsoft 365, Zoho Mail, Amazon SES, SendGrid and cPanel: errors when sending',
  rules: [
    {
      id: 'own-limit-status',
      class: 'own-smtp-limit',
      when: { route: 'own-smtp', status: ['4.5', '1.90', '7.501', '7.502', '7.503', '7.705', '7.708', '2.255'] },
      reason: 'the provider stops this account or counts its day as full',
    },
    {
      id: 'own-limit-text',
      class: 'own-smtp-limit',
      when: {
        route: 'own-smtp',
        text: [
          'daily|hourly|monthly * limit|quota|exceeded',
          'sending|send|sent|outgoing|outbound * limit|limits|quota|quotas * exceeded|reached',
          'exceeded|reached * sending|send|daily|hourly|outgoing * limit|limits|quota|rate',
          'exceeded the max emails per hour',
          'maximum sending rate',
          'maximum credits exceeded',
          'too many messages|emails|mails sent',
          'too much mail',
          'unusual sending activity',
          'outgoing|outbound|sending * blocked|suspended|disabled',
          'bad outbound sender',
          'rate * exceeded|limit|limited|exceeds',
          'rate exceeded|limit|limited',
          'maximum|max number * messages|emails|recipients|mails',
          'messages|emails|recipients|mails per day|hour|minute|month',
          'sending|sent spam',
          'account|user|sender|mailbox|login|domain * paused|suspended|banned|blocked|disabled|locked|compromised|frozen|restricted',
          'paused|suspended|banned|blocked|disabled for * account|user|domain|sender',
          'please|not|yet activate|activated',
          'main|sending|sender|your account unavailable|inactive',
          'rcpt|recipients|recipient * daily|hourly|monthly|day|hour',
          'sending|send quota',
          'out of credits|credit|quota',
          'message|mail|sending quota|limit|allowance',
          'limit|quota * per|a day|hour|month|minute',
          'over quota|limit',
        ],
      },
      reason: 'the server says how much this user may send',
    },
  ],
}

const place: RuleGroup = {
  source: 'Sakura, XServer, KAGOYA and others: logins from abroad are refused unless the owner allows them',
  rules: [
    {
      id: 'own-place',
      class: 'own-smtp-login',
      when: {
        route: 'own-smtp',
        text: ['country|countries|overseas|foreign|abroad|geoip|geolocation', '海外', '国外'],
      },
      reason: 'the login may not be used from where the relay stands',
    },
  ],
}

const login: RuleGroup = {
  source: 'RFC 4954 §6 (SMTP AUTH) and RFC 3207 §4 (STARTTLS)',
  rules: [
    {
      id: 'own-starttls-first',
      class: 'tls-required',
      actor: 'own-smtp',
      when: {
        route: 'own-smtp',
        text: [
          'must issue * starttls',
          'starttls * first|required',
          'encryption|tls required',
          'requires starttls|tls|encryption',
        ],
      },
      reason: 'the server takes this user only over TLS',
    },
    {
      id: 'own-login-code',
      class: 'own-smtp-login',
      when: { route: 'own-smtp', codes: [454, 530, 534, 535, 538] },
      reason: 'RFC 4954 reserves these codes for a login that is missing or refused',
    },
    {
      id: 'own-login-status',
      class: 'own-smtp-login',
      when: { route: 'own-smtp', status: ['7.8', '7.9', '7.57'] },
      reason: 'the credentials were refused, or none were given',
    },
    {
      id: 'own-login-text',
      class: 'own-smtp-login',
      when: {
        route: 'own-smtp',
        text: [
          'authentication|login|auth required|needed|necessary|first',
          'authentication|login|auth is required|needed|necessary|disabled',
          'unauthenticated',
          'auth|authentication|authorization|login|sasl|password|credentials|username * error|failed|failure|fail|unsuccessful|invalid|incorrect|rejected|wrong|unsupported',
          'need|needs|require|requires|send|must|please ehlo|authentication|auth|authenticate|login',
          'not authenticated',
          'authenticate first',
          'pop before smtp',
        ],
      },
      reason: 'the server asks for a login',
    },
  ],
}

const sender: RuleGroup = {
  source:
    'Postfix reject_sender_login_mismatch, Exchange SendAsDenied, Yandex, Zoho, SES and SendGrid sender identities',
  rules: [
    {
      id: 'own-sender-status',
      class: 'own-smtp-sender',
      when: { route: 'own-smtp', status: ['7.60', '7.750', '2.252', '2.251'] },
      reason: 'the login may not send as this address',
    },
    {
      id: 'own-sender-text',
      class: 'own-smtp-sender',
      when: {
        route: 'own-smtp',
        text: [
          'not owned by * user',
          'sendasdenied*',
          'send as this sender',
          'not allowed|permitted|authorized|authorised * send * as|from',
          'not allowed|permitted|authorized|authorised * use * address|sender|from',
          'relaying disallowed as',
          'from|sender * does not match',
          'sender|from|identity|address * not verified',
          'identities failed the check',
          'sender identity',
          'must match * authenticated|login|username|account',
          'from|sender|address|mailfrom * same|equal|match|matches|identical|correspond* * user|login|account|authenticated|authorized|authorization|username',
          'sender|from * not allowed|permitted|authorized|authorised|owned|registered|valid|verified|yours|acceptable',
          'not authorized|authorised|allowed|permitted to perform|send',
          'sender|from address|domain|email|mailbox * rejected|refused|denied|invalid|mismatch|unregistered|unverified',
          'sender rejected|refused|denied|mismatch|invalid|unverified|unregistered',
          'from|sender address|domain * not * authorised|authorized|allowed|permitted|registered|verified|owned',
          'unregistered|unverified domain|domains|sender|address',
          'domain|domains|sender|address not verified|registered|configured|authorized|confirmed|validated',
        ],
      },
      reason: 'the server ties sender addresses to logins',
    },
    {
      id: 'own-relay',
      class: 'relay-denied',
      actor: 'own-smtp',
      when: {
        route: 'own-smtp',
        text: [
          'relay|relaying * denied|prohibited|not|disallowed',
          'unable|cannot|not * relay',
          'not in my list of allowed',
          'we do not relay',
        ],
      },
      reason: 'the server does not send for this login to other domains',
    },
  ],
}

export const ownSmtpRules: readonly RuleGroup[] = [place, limits, sender, login]
