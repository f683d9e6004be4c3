import type { Letter } from './mime-text.ts';

/** What lists and services write below a message: it tells where the mail was collected, not what it is. */
const FOOTERS: readonly RegExp[] = [
  // Mailman: a rule of underscores, the list's name and address.
  /\n_{20,}\n(?=[^\n]*\n?[^\n]*(?:mailing list|list|https?:)).*$/is,
  /\n-- ?\n(?=Irish Linux Users' Group).*$/is,
  // SourceForge's and Yahoo's advertisements around messages of their lists.
  /\n-{20,}\nThis (?:sf\.net|SF\.NET|Sf\.net|\S*sourceforge) ?e?-?mail is sponsored by.*$/is,
  /-{10,} Yahoo! Groups Sponsor.*?-{10,}~->/gis,
  /\nTo unsubscribe from this group, send an email to:.*$/is,
];

/** Feeds that the collector read as mail begin with these lines. */
const FEED_HEAD = /^(?:(?:URL|Date): [^\n]*\n+)+/;

/** Words that name the collectors or their lists, also as these were anonymised. */
const COLLECTORS =
  /mailman\/listinfo|\b(?:taint\.org|netnoteinc\.com|jmason\.org|example\.com|linux\.ie|example\.sourceforge\.net)\b/i;

/**
 * A letter without what would give its class away for reasons of how this corpus was collected. Of the header only the
 * subject is in it (so no Received, Delivered-To, Return-Path, From, To, Date, Message-Id, X-Mailer, X-Spam-*, List-*);
 * gone from it as well are tags of lists (`[ILUG]`), `Re:` and `Fwd:`, footers of lists, the head of feeds, signatures'
 * armour, and addresses of the collectors.
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
