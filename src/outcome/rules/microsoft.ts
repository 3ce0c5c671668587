/**
 * Rules from what Microsoft says of the replies of Microsoft 365, Outlook.com and Exchange Server.
 */
import { forRecipient, type RuleGroup } from './rule.ts'

/** 5.7.606 to 5.7.649: banned sending addresses. */
const bannedStatuses = Array.from({ length: 44 }, (_, i) => `7.${606 + i}`)

const exchangeOnline: RuleGroup = {
  source: 'Microsoft Learn: Non-delivery reports in Exchange Online',
  rules: [
    {
      id: 'microsoft-unknown',
      class: 'address-unknown',
      when: { codes: [550], status: ['1.10'], phases: forRecipient },
      reason: 'Exchange Online says 5.1.10 for an unknown recipient, RFC 7505 for a null MX',
    },
    {
      id: 'microsoft-edge-unknown',
      class: 'address-unknown',
      when: { digit: 5, status: ['4.1'], text: ['recipient address rejected'] },
      reason: 'directory based edge blocking',
    },
    {
      id: 'microsoft-dmarc',
      class: 'dmarc-failed',
      when: { status: ['7.509'] },
      reason: 'the sender domain does not pass DMARC and asks to reject',
    },
    {
      id: 'microsoft-unauthenticated',
      class: 'authentication',
      when: { status: ['7.515'] },
      reason: 'senders of many messages need SPF, DKIM and DMARC',
    },
    {
      id: 'microsoft-from-header',
      class: 'message-malformed',
      when: { status: ['7.512', '7.710'] },
      reason: 'no valid From field',
    },
    {
      id: 'microsoft-helo',
      class: 'no-ptr',
      when: { status: ['7.506'] },
      reason: 'the server introduced itself with a bad name',
    },
    {
      id: 'microsoft-recipient-block',
      class: 'blocked-by-recipient',
      when: { status: ['7.504', '7.505', '7.507', '7.513', '7.703', '7.51', '7.12'] },
      reason: 'a block list, connector or setting of the recipient organisation',
    },
    {
      id: 'microsoft-restricted',
      class: 'blocked-by-recipient',
      when: {
        status: [
          '7.120',
          '7.121',
          '7.122',
          '7.123',
          '7.124',
          '7.125',
          '7.126',
          '7.127',
          '7.128',
          '7.129',
          '7.130',
          '7.131',
          '7.132',
          '7.133',
          '7.134',
          '7.135',
          '7.136',
          '7.137',
        ],
      },
      reason: 'the mailbox or group takes mail from some senders only',
    },
    {
      id: 'microsoft-recipient-limit',
      class: 'rate',
      when: { status: ['2.121', '2.122'] },
      reason: 'the mailbox may get only so many messages an hour',
    },
    {
      id: 'microsoft-limits',
      class: 'rate',
      when: { digit: 4, status: ['7.500', '7.650', '7.651', '7.652', '7.653', '7.508', '7.501', '7.502', '7.503'] },
      reason: 'the sending address is slowed down',
    },
    {
      id: 'microsoft-limits-final',
      class: 'rate',
      actor: 'own-ip',
      when: { digit: 5, status: ['7.508'] },
      reason: 'the sending address has exceeded its limits',
    },
    {
      id: 'microsoft-thread-limit',
      class: 'rate',
      when: { digit: 4, text: ['recipient thread limit exceeded', 'concurrent connections limit'] },
      reason: 'the mailbox database takes no more at once',
    },
    {
      id: 'microsoft-banned',
      class: 'spam-block',
      when: { status: ['7.501', '7.502', '7.503', '7.511', '7.708', ...bannedStatuses] },
      reason: 'the sending address is banned; Microsoft has a form for removal',
    },
    {
      id: 'microsoft-relay',
      class: 'relay-denied',
      when: { digit: 5, status: ['7.64', '7.54', '7.367'] },
      reason: 'the recipient domain is not set up at that tenant or server',
    },
    {
      id: 'microsoft-tls',
      class: 'tls-required',
      when: { status: ['7.3'], text: ['starttls is required', 'tls * required'] },
      reason: 'the connector asks for TLS',
    },
    {
      id: 'microsoft-anonymous',
      class: 'blocked-by-recipient',
      when: { route: 'mx', status: ['7.57', '7.68'] },
      reason: 'the recipient organisation takes no mail from outside there',
    },
    {
      id: 'microsoft-spam-status',
      class: 'spam-content',
      when: { status: ['7.520', '7.350'], text: ['spam'] },
      reason: 'the content was taken for spam',
    },
    {
      id: 'microsoft-loop',
      class: 'loop',
      when: { status: ['4.14'] },
      reason: 'hop count exceeded',
    },
    {
      id: 'microsoft-no-domain',
      class: 'domain-unknown',
      when: { status: ['4.310'], unless: ['null mx'] },
      reason: 'DNS says that the domain does not exist',
    },
    {
      id: 'microsoft-dns',
      class: 'dns-trouble',
      when: { status: ['4.311', '4.312'] },
      reason: 'the DNS of the domain did not answer well',
    },
    {
      id: 'microsoft-network',
      class: 'network',
      when: { status: ['4.313', '4.314', '4.315', '4.316', '4.317', '4.318'] },
      reason: 'the server of the domain can not be reached',
    },
  ],
}

const outlook: RuleGroup = {
  source: 'Outlook.com Postmaster: SMTP error codes',
  rules: [
    {
      id: 'outlook-block-list',
      class: 'spam-block',
      when: {
        text: [
          'on our block list',
          's3140',
          's3150',
          's3114',
          's775',
          'dy 001',
          'dy 002',
          'ou 001',
          'ou 002',
          'sc 001',
          'sc 002',
          'sc 003',
          'sc 004',
        ],
      },
      reason: 'Outlook.com names its reason by a code',
    },
    {
      id: 'outlook-unknown',
      class: 'address-unknown',
      when: { sites: ['outlook.com', 'hotmail.com'], codes: [550], phases: ['rcpt'], text: ['mailbox unavailable'] },
      reason: 'Outlook.com says "mailbox unavailable" for a recipient that does not exist',
    },
    {
      id: 'outlook-rate',
      class: 'rate',
      when: { text: ['rp 001', 'rp 002', 'rp 003'] },
      reason: 'Outlook.com limits what an address with little reputation may send',
    },
  ],
}

const exchangeServer: RuleGroup = {
  source: 'Microsoft Learn: NDRs and bounce messages in Exchange Server',
  rules: [
    {
      id: 'exchange-size',
      class: 'message-too-large',
      when: { text: ['resolver rst recipsizelimit', 'resolver rst sendsizelimit'] },
      reason: 'larger than the mailbox takes',
    },
    {
      id: 'exchange-restricted',
      class: 'blocked-by-recipient',
      when: {
        text: [
          'resolver rst authrequired',
          'resolver rst notauthorized',
          'delivery not authorized',
          'resolver rst senderauthenticationrequired',
          'not authorized to send to this recipient',
        ],
      },
      reason: 'the mailbox or group takes mail from some senders only',
    },
    {
      id: 'exchange-rule',
      class: 'policy',
      when: { text: ['transport rules'], unless: ['only * from|accepted'] },
      reason: 'a mail flow rule of the organisation',
    },
    {
      id: 'exchange-unknown',
      class: 'address-unknown',
      when: {
        text: ['resolver adr recipientnotfound', 'resolver adr recipnotfound', 'resolver adr exrecipnotfound'],
        phases: forRecipient,
      },
      reason: 'the directory has no such recipient',
    },
    {
      id: 'exchange-sender-filter',
      class: 'blocked-by-recipient',
      when: { text: ['senderfilterconfig', 'sender denied'] },
      reason: 'the sender stands on a list of the organisation',
    },
    {
      id: 'exchange-spam',
      class: 'spam-content',
      when: { text: ['rejected as spam by content filtering'] },
      reason: 'the content filter took the message for spam',
    },
    {
      id: 'exchange-back-pressure',
      class: 'remote-trouble',
      when: { digit: 4, text: ['insufficient system resources', 'ubm memory', 'back pressure'] },
      reason: 'the server is short of memory or disk',
    },
  ],
}

export const microsoftRules: readonly RuleGroup[] = [exchangeOnline, outlook, exchangeServer]
