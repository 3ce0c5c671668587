/**
 * Remembers with each entry the site of its last attempt, so that the queue can be counted and picked by site.
 *
 * No index: only who looks at the queue asks for it, and reads the queue anyway.
 */
export const lastSite = 'alter table entry add column last_site text'
