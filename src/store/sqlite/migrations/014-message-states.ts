/**
 * Finds the messages that bounced or were cancelled among very many that were not.
 *
 * Partial indexes: a message that is delivered costs a comparison. What is there already is read once, some 1 µs a message.
 */
export const messageStates = `
create index message_bounced on message (seq) where instr(states, 'b') > 0;
create index message_cancelled on message (seq) where instr(states, 'c') > 0;
`
