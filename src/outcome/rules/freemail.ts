/**
 * Rules from what large mailbox providers elsewhere say of their replies.
 */
import { beforeMail, forContent, forRecipient, forSender, type RuleGroup } from './rule.ts'

const yahooSites = ['yahoodns.net', 'yahoo.com', 'aol.com']

const yahoo: RuleGroup = {
  source: 'Yahoo Sender Hub: SMTP error codes; AOL Postmaster: error messages',
  rules: [
    {
      id: 'yahoo-deferred-for-good',
      class: 'spam-block',
      when: {
        text: [
          'permanently deferred',
          'excessive unknown recipients',
          'will not be accepted from',
          'bl21',
          'bl22',
          'bl23',
          'bl24',
        ],
      },
      reason: 'the address is blocked or listed at Spamhaus',
    },
    {
      id: 'yahoo-not-allowed',
      class: 'spam-block',
      when: { sites: ['yahoo.co.jp', ...yahooSites], text: ['mail from * not allowed'] },
      reason: 'the address may not send there',
    },
    {
      id: 'yahoo-slowed',
      class: 'rate',
      when: {
        digit: 4,
        text: ['tss04', 'tss05', 'tss11', 'ts01', 'ts02', 'ts03', 'temporarily deferred due to'],
        unless: ['domain', 'dns'],
      },
      reason: 'unexpected volume or complaints: Yahoo takes less for a while',
    },
    {
      id: 'yahoo-unauthenticated',
      class: 'authentication',
      when: { text: ['sender is unauthenticated', 'requires all senders to authenticate'] },
      reason: 'neither SPF nor DKIM passed',
    },
    {
      id: 'yahoo-dmarc',
      class: 'dmarc-failed',
      when: { sites: yahooSites, status: ['7.9'] },
      reason: 'Yahoo says 5.7.9 for mail that the DMARC policy of its domain refuses',
    },
    {
      id: 'yahoo-policy',
      class: 'spam-content',
      when: {
        text: [
          'ph01',
          'ph02',
          'ph03',
          'message not allowed ph',
          'email not accepted for policy reasons',
          'message not allowed',
        ],
        unless: ['header|headers'],
      },
      reason: 'characteristics of spam or phishing',
    },
    {
      id: 'yahoo-no-account',
      class: 'address-unknown',
      when: { text: ['user doesnt have a|an * account', 'user does not have a|an * account'] },
      reason: 'Yahoo and Yahoo! JAPAN say so at the end of DATA as well',
    },
    {
      id: 'yahoo-disabled',
      class: 'mailbox-unavailable',
      when: { text: ['mailbox is disabled', '554 30', 'account is deactivated'] },
      reason: 'the mailbox was disabled after long disuse',
    },
    {
      id: 'aol-url',
      class: 'url-block',
      when: { text: ['hvu b1', 'hvu b2', 'hvu nr'] },
      reason: 'a link generated too many complaints',
    },
    {
      id: 'aol-address',
      class: 'spam-block',
      when: {
        text: [
          'rtr bb',
          'rtr bg',
          'rtr bl',
          'rtr ch',
          'rtr du',
          'rtr ge',
          'rly b1',
          'rly bd',
          'rly m',
          'con b1',
          'dyn t1',
          'ipt t1',
        ],
      },
      reason: 'a block of the sending address',
    },
  ],
}

const icloud: RuleGroup = {
  source: 'Apple Support: Postmaster information for iCloud Mail',
  rules: [
    {
      id: 'icloud-local-policy',
      class: 'spam-content',
      when: { text: ['cs01', 'hm07', 'hm08', 'hme1'], phases: forContent, unless: ['spf * dkim', 'dmarc'] },
      reason: 'the content filter refused it as spam ("local policy")',
    },
  ],
}

const unitedInternet: RuleGroup = {
  source: 'GMX and WEB.DE Postmaster: error messages',
  rules: [
    {
      id: 'gmx-ptr',
      class: 'no-ptr',
      when: { text: ['bad dns ptr', 'invalid dns a', 'invalid helo'] },
      reason: 'PTR or HELO name are missing or generic',
    },
    {
      id: 'gmx-sender-domain',
      class: 'sender-domain',
      when: { text: ['invalid dns mx'] },
      reason: 'the sender domain has no MX or A record',
    },
    {
      id: 'gmx-block-list',
      class: 'spam-block',
      when: { text: ['address is block|black listed', 'reject due to policy violations'] },
      reason: 'the sending address is on the block list',
    },
    {
      id: 'gmx-unknown',
      class: 'address-unknown',
      when: {
        sites: ['gmx.net', 'gmx.com', 'web.de', 'mail.com', 'kundenserver.de', 'ionos.de', 'ionos.com'],
        codes: [550],
        phases: ['rcpt'],
        text: ['mailbox unavailable'],
      },
      reason: 'GMX says "mailbox unavailable" for a recipient that does not exist',
    },
    {
      id: 'gmx-policy',
      class: 'content-refused',
      when: { digit: 5, phases: forContent, text: ['reject due to policy restrictions'] },
      reason: 'the message fits a filter rule',
    },
    {
      id: 'gmx-header',
      class: 'message-malformed',
      when: { text: ['message contains invalid header', 'header invalid'] },
      reason: 'a header field is doubled or broken',
    },
  ],
}

const accessProviders: RuleGroup = {
  source: 'Comcast, AT&T, Spectrum, Orange, Free and T-Online postmaster pages: error codes',
  rules: [
    {
      id: 'comcast-block',
      class: 'spam-block',
      when: {
        text: [
          'bl000000',
          'bl000001',
          'bl000010',
          'es000001',
          'es000010',
          'block for spam',
          'rblmx',
          'is blocked for abuse',
        ],
      },
      reason: 'the address sent spam, is dynamic, or is listed',
    },
    {
      id: 'comcast-rate',
      class: 'rate',
      when: { digit: 4, text: ['rl000001', 'rl000002', 'rl000003', 'rl000010', 'throttled'] },
      reason: 'too many connections, messages or recipients at once',
    },
    {
      id: 'orange-slow',
      class: 'rate',
      when: { digit: 4, text: ['veuillez essayer plus tard', 'ofr*'], unless: ['emetteur invalide'] },
      reason: 'Orange asks to slow down',
    },
    {
      id: 'orange-block',
      class: 'spam-block',
      when: {
        digit: 5,
        phases: [...beforeMail, 'mail'],
        text: ['service refuse', 'ofr*'],
        unless: ['emetteur invalide'],
      },
      reason: 'Orange refuses the address',
    },
    {
      id: 't-online-block',
      class: 'spam-block',
      when: { text: ['ask your postmaster for help or to contact'] },
      reason: 'T-Online blocks the address; tosa@rx.t-online.de opens it',
    },
    {
      id: 'free-errors',
      class: 'rate',
      when: { digit: 4, text: ['too many errors from your ip', 'spam detecte'] },
      reason: 'too many unknown recipients from the address',
    },
  ],
}

const eastern: RuleGroup = {
  source: 'Yandex, Mail.ru, QQ Mail, NetEase and Coremail: bounce messages',
  rules: [
    {
      id: 'netease-spf',
      class: 'spf-failed',
      when: { text: ['mi spf', 'spf check failed'] },
      reason: 'SPF did not pass',
    },
    {
      id: 'netease-dmarc',
      class: 'dmarc-failed',
      when: { text: ['mi dmc'] },
      reason: 'DMARC did not pass',
    },
    {
      id: 'netease-spam',
      class: 'spam-content',
      when: { text: ['dt spm', 'mi stc'] },
      reason: 'the content filter took the message for spam',
    },
    {
      id: 'netease-address',
      class: 'spam-block',
      when: { text: ['hl ipb', 'hl rep', 'mi spb'] },
      reason: 'the sending address is listed',
    },
    {
      id: 'netease-rate',
      class: 'rate',
      when: { text: ['hl itc', 'hl icc', 'hl mep', 'rp qmc', 'rp rcl', 'rp qrc'] },
      reason: 'too many connections, messages or recipients',
    },
    {
      id: 'qq-frequency',
      class: 'rate',
      actor: 'own-ip',
      when: { text: ['frequency limited', 'connection frequency', 'domain frequency', 'ip frequency'] },
      reason: 'QQ limits the frequency of an address or domain',
    },
    {
      id: 'qq-content',
      class: 'spam-content',
      when: {
        phases: forContent,
        text: [
          'mail content denied',
          'suspected spam',
          'under suspicion of spam',
          'spam message rejected',
          'spam message discarded',
        ],
      },
      reason: 'the content filter refused it',
    },
    {
      id: 'qq-sender-domain',
      class: 'sender-domain',
      when: { text: ['domain may not exist', 'dns check failed'] },
      reason: "the sender's domain can not be looked up",
    },
    {
      id: 'coremail-address',
      class: 'spam-block',
      when: { text: ['invalid ip', 'ip is rejected|hangup'] },
      reason: 'Coremail refuses the sending address',
    },
    {
      id: 'coremail-list',
      class: 'blocked-by-recipient',
      when: { phases: forRecipient, text: ['user|recipient in blacklist|blocklist'] },
      reason: 'a list of the organisation',
    },
    {
      id: 'naver-block',
      class: 'spam-block',
      when: { phases: forSender, text: ['your ip blocked'] },
      reason: 'Naver blocks the address',
    },
    {
      id: 'zoho-rejected',
      class: 'blocked-by-recipient',
      when: { codes: [541], phases: forRecipient },
      reason: 'Zoho: refused by a list of the recipient organisation',
    },
  ],
}

export const freemailRules: readonly RuleGroup[] = [yahoo, icloud, unitedInternet, accessProviders, eastern]
