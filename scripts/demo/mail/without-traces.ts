import type { Letter } from './mime-text.ts';

/** Footers of mailing lists and services. They reveal where an e-mail was collected, but not its class. */
const FOOTERS: readonly RegExp[] = [
  // Mailman: a line of underscores, then the list's name and address.
  /\n_{20,}\n(?=[^\n]*\n?[^\n]*(?:mailing list|list|https?:)).*$/is,
  /\n-- ?\n(?=Irish Linux Users' Group).*$/is,
  // Advertisements of SourceForge and Yahoo in the messages of their lists.
  /\n-{20,}\nThis (?:sf\.net|SF\.NET|Sf\.net|\S*sourceforge) ?e?-?mail is sponsored by.*$/is,
  /-{10,} Yahoo! Groups Sponsor.*?-{10,}~->/gis,
  /\nTo unsubscribe from this group, send an email to:.*$/is,
];

/** The first lines of feeds that were collected as e-mail. */
const FEED_HEAD = /^(?:(?:URL|Date): [^\n]*\n+)+/;

/** Names of the collectors or their lists, also in anonymised form. */
const COLLECTORS =
  /mailman\/listinfo|\b(?:taint\.org|netnoteinc\.com|jmason\.org|example\.com|linux\.ie|example\.sourceforge\.net)\b/i;

/**
 * Removes clues that come from the way this corpus was collected. Only the subject of the header is kept (no
 * Received, Delivered-To, Return-Path, From, To, Date, Message-Id, X-Mailer, X-Spam-*, List-*). Also removed
 * are list tags (`[ILUG]`), `Re:` and `Fwd:`, list footers, feed headers, signature armour, and the
 * collectors' addresses.
 */
export function withoutTraces({ subject, body }: Letter): string {
  const title = subject
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/^(?:\s*(?:re|fwd?|aw|sv)(?:\[\d+\])?\s*:)+/i, '');
  const armourless = body
    .replace(/^\s*-----BEGIN PGP SIGNED MESSAGE-----\n(?:Hash:[^\n]*\n)*/, '')
    .replace(/\n-----BEGIN PGP SIGNATURE-----.*$/s, '');
  const text = FOOTERS.reduce(
    (rest, footer) => rest.replace(footer, '\n'),
    `\n${armourless.trim().replace(FEED_HEAD, '')}\n`,
  );
  return `${title.trim()}\n${text.trim()}`
    .replace(/\S+/g, (word) => (COLLECTORS.test(word) ? '' : word))
    .trim();
}
