/**
 * Rules by words for what nothing more telling was said: trouble, a policy, one thing that is named.
 */
import { beforeMail, forRecipient, forSender, type RuleGroup } from './rule.ts'
import { softwareSource } from './software-source.ts'

/** For what nothing more telling was said. */
export const lateTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'table-trouble',
      class: 'remote-trouble',
      when: { digit: 4, status: ['3.*', '0.0', '1.0', '1.1'], text: ['temporary lookup failure'] },
      reason: 'Postfix could not read one of its tables',
    },
    {
      id: 'lookup-trouble',
      class: 'dns-trouble',
      when: {
        digit: 4,
        text: [
          'dns|lookup|resolver * failure|failed|error|timeout|timed|problem|trouble|servfail',
          'temporary|temporarily * lookup|dns|resolve',
          'cannot resolve',
          'could not resolve',
          'name server',
          'temporary domain failure',
        ],
      },
      reason: 'DNS over there',
    },
    {
      id: 'busy',
      class: 'remote-trouble',
      when: {
        digit: 4,
        text: ['busy', 'overloaded'],
        unless: ['mailbox|user|recipient|account', 'client host', 'your ip', 'blocked', 'reputation'],
      },
      reason: 'busy, whatever the status',
    },
    {
      id: 'connection-trouble',
      class: 'network',
      when: {
        digit: 4,
        text: [
          'lost * connection',
          'connection|connect * refused|timed|lost|reset|failed|dropped|closed|terminated',
          'connection expired',
          'timeout',
          'timed out',
          'time out',
          'no route to host',
          'unreachable',
          'not reachable',
          'network error|problem',
          'idle',
        ],
      },
      reason: 'a connection over there',
    },
    {
      id: 'unreachable-final',
      class: 'network',
      when: {
        digit: 5,
        phases: forRecipient,
        text: ['domain|host|server|mx|destination * unreachable', 'domain|host|server|mx|destination * not reachable'],
      },
      reason: 'what stands behind the server can not be reached',
    },
    {
      id: 'try-later',
      class: 'remote-trouble',
      when: {
        digit: 4,
        status: ['1.*', '2.*', '5.*'],
        text: ['try again|later', 'retry later'],
        unless: [
          'user|mailbox|account|recipient|inbox|address|storage|space',
          'sender|from|domain',
          'you|your|ip|ipv4',
          '@',
        ],
      },
      reason: 'asks for another try and names nobody, whatever the status',
    },
    {
      id: 'reading-trouble',
      class: 'remote-trouble',
      when: {
        phases: ['rcpt'],
        text: [
          'unable|could|cannot|failed * read|load|parse|retrieve|fetch|look',
          'database|directory|table * returned|returns|answered',
        ],
        unless: ['sender|from|client|ip|ipv4|helo|ehlo'],
      },
      reason: 'the server could not read what it knows of the recipient',
    },
    {
      id: 'content-scan-trouble',
      class: 'remote-trouble',
      when: {
        digit: 4,
        phases: ['dot'],
        text: ['service|server|system unavailable|busy|down', 'tempfailed', 'temporary failure'],
      },
      reason: 'what stands behind the server has trouble',
    },
    {
      id: 'service-trouble',
      class: 'remote-trouble',
      when: {
        digit: 4,
        text: [
          'service|server|system|mailserver is|are|currently|temporarily|presently unavailable|busy|overloaded|down',
          'service|server|system|mailserver is|are currently|temporarily|presently unavailable|busy|overloaded|down',
          'service|server|system|mailserver unavailable|busy|overloaded|down|error|maintenance',
          'temporary|internal|local server|system|service|software|processing|delivery * error|problem|failure|trouble|fault',
          'temporary|internal|local error|problem|failure|trouble|fault',
          'unable to process|accept|complete|queue|store',
          'transient|temporary exception|condition|fault',
          'backend|upstream|downstream * failure|failed|error|unavailable|down|timeout',
          'scanner|antivirus|filter * unavailable|error|failure|down',
        ],
        unless: ['client host', 'blocked', 'policy', 'reputation', 'dns', 'ipv4', 'your ip'],
      },
      reason: 'trouble over there, whatever the status',
    },
    {
      id: 'server-trouble',
      class: 'remote-trouble',
      when: {
        digit: 4,
        text: [
          'server|system|service|mailserver * busy|unavailable|down|overloaded|overload|error|problem|failure|configuration|maintenance|available|shutting',
          'local|internal|temporary|temporarily|configuration|database|queue|backend|ldap * error|problem|failure|trouble|failed|unavailable|unreachable',
          'insufficient * storage|space|resources|memory|disk',
          'shutting down',
          'load|overload|overloaded',
          'out of memory|resources|disk',
          'try again|later',
          'please retry',
          'disk full',
          'maintenance',
          'not available|ready|responding',
          'unable to',
          'could not',
          'temporarily',
        ],
        status: ['0.0', '3.*', '7.0', '0.*', '2.0', '4.0', '5.0'],
      },
      reason: 'trouble over there',
    },
    {
      id: 'not-handled',
      class: 'relay-denied',
      when: {
        digit: 5,
        phases: ['rcpt'],
        text: ['cannot|cant|not deliver mail|email|messages for', 'unable to deliver mail|email|messages for'],
      },
      reason: 'the server does not know what to do with mail for it',
    },
    {
      id: 'recipient-access',
      class: 'policy',
      when: {
        digit: 5,
        phases: forRecipient,
        status: ['0.0', '7.0', '7.1'],
        text: ['recipient address rejected', 'recipient rejected'],
      },
      reason: 'a rule about this recipient, not told which',
    },
    {
      id: 'spam-early',
      class: 'spam-block',
      when: {
        digit: 5,
        phases: ['connect', 'banner', 'ehlo', 'mail', 'rcpt'],
        text: ['spam*', 'access denied', 'denied', 'banned', 'blocked', 'abuse', 'not welcome'],
        unless: ['policy', 'policies', 'permission'],
        status: ['0.0', '7.0', '7.1'],
      },
      reason: 'called spam before anything of it was seen: our address, or our name',
    },
    {
      id: 'late-loop',
      class: 'loop',
      when: { text: ['loop|loops|looping|loopback'] },
      reason: 'a loop is named',
    },
    {
      id: 'late-name',
      class: 'no-ptr',
      when: {
        digit: 5,
        text: ['helo*|ehlo*'],
        unless: ['please|send|say|first|need helo|ehlo', 'ehlo|helo|first first'],
      },
      reason: 'the name that we introduced ourselves with is named',
    },
    {
      id: 'late-relay',
      class: 'relay-denied',
      when: { digit: 5, phases: ['rcpt'], text: ['relay|relaying|relayed'], unless: ['open relay', 'sender'] },
      reason: 'relaying is named',
    },
    {
      id: 'late-sender',
      class: 'sender-refused',
      when: {
        digit: 5,
        phases: forSender,
        text: ['sender|senders|mailfrom|originator', 'mail from', 'black|bad mail|email address'],
        unless: ['policy', 'recipient', 'ip'],
      },
      reason: 'the sender is named, and nothing else',
    },
    {
      id: 'late-unknown',
      class: 'address-unknown',
      when: {
        digit: 5,
        phases: ['rcpt'],
        text: [
          'unknown',
          'nonexistent|nonexist|inexistent',
          'not exist|exists|found|known|listed|recognized|recognised',
          'invalid rcpt|rcptto|local|virtual|destination|addr|mailbox|name',
          'wrong|incorrect|mistyped|misspelled',
          'no one|body|such|mailbox|mail|mailuser|entry|account|match with|by|here|box|drop|for|found',
          'nobody',
        ],
        unless: [
          'sender|senders|mailfrom|from|originator|return',
          'domain|host|hostname|server|dns|mx',
          'ip|ipv4|client|relay|you|your',
          'command|parameter|syntax|header|sequence',
          'policy|policies|spam|reputation|blocked|list|excessive|many',
          'size|quota|full|large|error|reason',
        ],
      },
      reason: 'said for a recipient, and nothing else is named',
    },
    {
      id: 'out-of-step',
      class: 'protocol',
      when: {
        text: [
          'synchronization|synchronisation|pipelining',
          'out of sequence|order|step',
          'bad|wrong|invalid sequence|order',
          'sequence of commands',
          'protocol|syntax error|violation',
          'unrecognized|unrecognised|unknown|unsupported|unimplemented|invalid command|commands|parameter|parameters|keyword',
          'command|parameter|parameters * not recognized|recognised|implemented|supported|understood|known',
        ],
      },
      reason: 'a command is blamed, not what it said',
    },
    {
      id: 'session-policy',
      class: 'spam-block',
      when: {
        digit: 5,
        phases: beforeMail,
        text: ['policy', 'policies', 'security', 'not authorized|permitted|allowed'],
      },
      reason: 'before MAIL a server knows but our address',
    },
    {
      id: 'policy-text',
      class: 'policy',
      when: {
        text: [
          'policy',
          'policies',
          'administrative|administratively',
          'prohibited',
          'security',
          'not authorized|permitted|allowed',
          'local rule|rules',
          'bloque|bloques|bloquee|rejete|rejetee|refuse|refusee|refuses par',
          'blockiert|abgelehnt|verweigert|bloqueado|rechazado|bloccato|rifiutato|rejeitado|odrzucona|odrzucono|zablokowana',
        ],
      },
      reason: 'a rule of the server, not told which',
    },
  ],
}
