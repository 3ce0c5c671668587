/**
 * What the rules for words that many servers have in common were written from.
 */
export const softwareSource =
  'Postfix access(5) and postconf(5), the Exim specification, Sendmail README.cf, qmail-smtpd(8): reply texts'
