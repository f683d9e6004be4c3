import type { Letter } from './mime-text.ts';

/** Footers of mailing lists and services: they reveal where the e-mail was collected, not its class. */
const FOOTERS: readonly RegExp[] = [
  // Mailman: a line of underscores, the list's name and address.
  /\n_{20,}\n(?=[^\n]*\n?[^\n]*(?:mailing list|list|https?:)).*$/is,
  /\n-- ?\n(?=Irish Linux Users' Group).*$/is,
  // SourceForge's and Yahoo's advertisements in messages of their lists.
  /\n-{20,}\nThis (?:sf\.net|SF\.NET|Sf\.net|\S*sourceforge) ?e?-?mail is sponsored by.*$/is,
  /-{10,} Yahoo! Groups Sponsor.*?-{10,}~->/gis,
  /\nTo unsubscribe from this group, send an email to:.*$/is,
];

/** The first lines of feeds that the collector read as e-mail. */
const FEED_HEAD = /^(?:(?:URL|Date): [^\n]*\n+)+/;

/** Names of the collectors or their lists, also in anonymised form. */
const COLLECTORS =
  /mailman\/listinfo|\b(?:taint\.org|netnoteinc\.com|jmason\.org|example\.com|linux\.ie|example\.sourceforge\.net)\b/i;

/**
 * Removes clues to an e-mail's class that come from how this corpus was collected. Only the subject of the header is
 * kept (no Received, Delivered-To, Return-Path, From, To, Date, Message-Id, X-Mailer, X-Spam-*, List-*). Also removed
 * are list tags (`[ILUG]`), `Re:` and `Fwd:`, list footers, feed headers, signature armour, and addresses of the
 * collectors.
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
