/**
 * Rules by the words of servers about the message: size, attachments, form, links, spam.
 */
import { forContent, type RuleGroup } from './rule.ts'
import { softwareSource } from './software-source.ts'

export const contentTexts: RuleGroup = {
  source: softwareSource,
  rules: [
    {
      id: 'too-large',
      class: 'message-too-large',
      when: {
        text: [
          'too large|big|long|huge',
          'size|length * exceeds|exceeded|exceed|limit|maximum|too',
          'exceeds|exceeded|exceed|exceeding|maximum|max|over|larger|bigger * size|length|bytes|kb|mb',
          'size limit',
          'larger than',
          'maximum message|mail',
          'message * exceeds',
        ],
        phases: ['mail', 'rcpt', 'data', 'dot'],
      },
      reason: 'the size is blamed',
    },
    {
      id: 'attachment',
      class: 'attachment-refused',
      when: {
        phases: forContent,
        text: [
          'attachment|attachments|attached',
          'file type|types|extension|extensions|name|names',
          'filename|filetype|extension|extensions',
          'executable|executables',
          'virus|viruses|malware|trojan|worm|infected|eicar|macro|macros|ransomware',
          'encrypted|password zip|archive|protected',
          'zip|exe|rar|docm|xlsm|js * not|blocked|prohibited|forbidden|banned',
          'clamav',
          'banned|prohibited|forbidden|dangerous|illegal|unsafe|blocked * file|files|attachment|extension',
        ],
      },
      reason: 'an attachment, or a virus in it',
    },
    {
      id: 'form',
      class: 'message-malformed',
      when: {
        phases: forContent,
        text: [
          'missing|invalid|malformed|duplicate|multiple|bad|illegal|no|broken|improper|required|without|nonstandard|absent header|headers|mime|date|subject|from|messageid|to|syntax|boundary|encoding',
          'message id * missing|required|invalid|header',
          'header|headers|mime|date * missing|invalid|malformed|duplicate|required|illegal|syntax|bad|too',
          'malformed',
          'bare lf|cr|newline|line|linefeed|linefeeds|carriage',
          'barelinefeed*',
          'stray newline|cr|lf|linefeed',
          'not|non compliant|conformant|comply',
          'multiple|several from|sender|to|subject|date',
          'line|lines too long',
          '8bit|8 bit * header|headers|characters|data|not',
          'rfc 822|2822|5322',
          'rfc822|rfc2822|rfc5322',
          'nul|null character|characters|byte',
          'smtp smuggling',
          'not * conform',
          'non rfc compliant',
          'syntactically invalid|incorrect',
        ],
      },
      reason: 'the form of the message is blamed',
    },
    {
      id: 'url',
      class: 'url-block',
      when: {
        phases: forContent,
        text: [
          'malicious|suspicious|phishing|bad|prohibited|blacklisted|blocked|blocking|unsafe|dangerous|harmful * url|urls|link|links|uri|uris',
          'contains|contain|containing|contained * url|urls|link|links|uri|uris|hyperlink',
          'url|urls|link|links|uri * malicious|suspicious|blocked|phishing|prohibited|unsafe|rejected|found',
        ],
      },
      reason: 'a link is blamed',
    },
    {
      id: 'spam',
      class: 'spam-content',
      when: {
        phases: forContent,
        text: [
          'spam*',
          'message|mail|email filtered',
          'unsolicited',
          'junk',
          'bulk',
          'ube',
          'uce',
          'phishing|phish',
          'scam|fraud',
          'suspicious',
          'spamassassin',
          'bayes*',
          'rspamd',
          'score * threshold|exceeds|high',
          'cloudmark',
          'fingerprint',
          'gtube',
          'advertis*',
        ],
      },
      reason: 'the message is called spam',
    },
    {
      id: 'content',
      class: 'content-refused',
      when: {
        phases: forContent,
        text: [
          'content|contents',
          'body',
          'subject',
          'header|headers rejected|refused|blocked|denied',
          'message|mail|email * blocked|refused|looks|filtered|quarantined|discarded',
          'filter|filters|filtered|filtering',
          'words|phrases|keyword|keywords',
          'fails|failed filter|validation',
          'dlp',
          'message rejected',
          'prohibited',
        ],
        status: ['0.0', '7.1', '7.0', '6.0', '3.0', '2.0', '5.0'],
      },
      reason: 'the content is blamed',
    },
  ],
}
