/**
 * The ways a message can travel (design section 4).
 */
export const sendingModes = ['sender-only', 'own-smtp', 'spf', 'spf-dkim'] as const
export type SendingMode = (typeof sendingModes)[number]
