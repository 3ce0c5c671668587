/**
 * What failures are called by systems that give no status, in the languages our senders' recipients meet.
 *
 * Only the status (RFC 3463) stands here; which class it belongs to is said by outcome/classify.ts alone. The first
 * that fits wins: sentences about a full mailbox contain "mailbox", those about an unknown one too.
 */
interface Phrase {
  readonly digit: '4' | '5'
  readonly detail: string
  readonly says: RegExp
}

const phrases: readonly Phrase[] = [
  {
    digit: '5',
    detail: '2.2',
    says: /(?:mailbox|mail box|inbox|quota|disk).{0,40}(?:full|exceed|over)|over.{0,10}quota|exceed.{0,30}quota|number of messages.{0,60}exceed|メールボックス.{0,20}(?:いっぱい|一杯|満杯|容量|制限)|容量.{0,20}(?:超え|超過|オーバー)|保存.{0,20}(?:上限|制限)/i,
  },
  {
    digit: '5',
    detail: '7.1',
    says: /受信(?:を)?(?:拒否|制限)|ドメイン指定|迷惑メール|refused to accept|blocked by (?:the )?(?:recipient|our)|not authori[sz]ed to (?:send|post)/i,
  },
  {
    digit: '5',
    detail: '3.4',
    says: /(?:message|mail) (?:is )?too (?:large|big)|size (?:limit|exceeds)|exceeds.{0,30}size|サイズ.{0,20}(?:超え|超過|大き|制限)/i,
  },
  {
    digit: '5',
    detail: '2.1',
    says: /(?:account|mailbox|user(?:\(s\))?).{0,30}(?:disabled|inactive|suspended|deactivated|discontinued)|解約|停止され|利用停止|使用されていません/i,
  },
  {
    digit: '5',
    detail: '1.2',
    says: /(?:host|domain).{0,60}(?:not found|unknown|does ?n.t exist|not exist|invalid)|(?:unknown|no such|unrouteable|couldn't find any) (?:host|domain)|host or domain name not found|ドメイン.{0,20}(?:存在|見つ|誤り)/i,
  },
  {
    digit: '5',
    detail: '1.1',
    says: /(?:user|recipient|mailbox|account|address|addressee).{0,60}(?:unknown|not found|does ?n.t exist|not exist|not listed|no such|invalid|not recogni[sz]ed|not known|could not be found|couldn.t be found)|(?:unknown|no such|unrouteable|invalid|bad) (?:local )?(?:user|recipient|mailbox|address|account)|no mailbox here|doesn.t have an? .{0,40}account|user unknown|リストに(?:あり|見つかり)ません|宛先.{0,30}(?:誤り|間違|存在|不明|見つ|ありません)|あて先.{0,30}(?:誤り|間違|存在|不明|見つ|ありません)|(?:アドレス|ユーザ).{0,20}(?:存在し|見つかりま|不明|誤り|ありません)/i,
  },
  {
    digit: '4',
    detail: '4.7',
    says: /(?:queue|delivery time|message).{0,40}(?:expired|too long)|in the queue too long|retry time(?:out)? (?:exceeded|not reached)|retry timeout|giving up|再送期限/i,
  },
  {
    digit: '4',
    detail: '4.1',
    says: /connection (?:refused|timed out)|timed? ?out|unable to connect|couldn't (?:establish|connect)|no route to host|host.{0,20}(?:unreachable|down)|network error|did not accept our requests to connect|接続でき/i,
  },
]

export function statusOfPhrase(text: string): Pick<Phrase, 'digit' | 'detail'> | null {
  return phrases.find(({ says }) => says.test(text)) ?? null
}
