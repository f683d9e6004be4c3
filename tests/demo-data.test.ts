import { describe, expect, it } from 'vitest';
import { messageText } from '../scripts/demo/mail/message-text.ts';
import { mimeText } from '../scripts/demo/mail/mime-text.ts';
import { nearDuplicates } from '../scripts/demo/mail/near-duplicates.ts';
import { readCorpus } from '../scripts/demo/mail/read-corpus.ts';
import { type Mail, splitMails } from '../scripts/demo/mail/split-mails.ts';

const mail = (...lines: string[]) => lines.join('\n');

describe('mimeText', () => {
  it('decodes header words, quoted-printable and character sets', () => {
    const source = mail(
      'Received: from somewhere',
      '\tby nowhere',
      'Subject: =?iso-8859-1?Q?Andr=E9?= =?utf-8?B?4oKs?= now',
      'Content-Type: text/plain; charset="iso-8859-1"',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9=20and a line=',
      ' that goes on',
    );
    expect(mimeText(source)).toEqual({
      subject: 'André€ now',
      body: 'café and a line that goes on',
      isHtml: false,
    });
  });

  it('reads the plain text of several parts, without attachments', () => {
    const source = mail(
      'Content-Type: multipart/mixed; boundary=outer',
      '',
      'not for readers of today',
      '--outer',
      'Content-Disposition: attachment; filename=a.txt',
      '',
      'attached',
      '--outer',
      'Content-Type: multipart/alternative; boundary="in ner"',
      '',
      '--in ner',
      'Content-Type: text/html',
      '',
      '<b>rich</b>',
      '--in ner',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('plain').toString('base64'),
      '--in ner--',
      '--outer--',
    );
    expect(mimeText(source)).toEqual({ subject: '', body: 'plain', isHtml: false });
  });

  it('reads damaged mails as far as possible', () => {
    expect(mimeText('')).toMatchObject({ subject: '', body: '' });
    expect(mimeText('Subject: only')).toMatchObject({ subject: 'only', body: '' });
    expect(mimeText('Content-Type: multipart/mixed\n\ntext')).toMatchObject({ body: '' });
    expect(mimeText(mail('Content-Type: text/plain; charset=none-such', '', 'caf\xe9'))).toMatchObject({
      body: 'café',
    });
  });
});

describe('messageText', () => {
  it('contains only the subject of the header, and nothing of lists and collectors', () => {
    const source = mail(
      'Return-Path: <list-admin@linux.ie>',
      'Delivered-To: someone@localhost.netnoteinc.com',
      'X-Spam-Status: Yes, hits=12',
      'List-Id: <list.linux.ie>',
      'Subject: Re: Fwd: [ILUG] A question',
      'Date: Thu, 22 Aug 2002 12:36:23 +0100',
      '',
      'How do I do this? Ask me@jmason.org or you@elsewhere.net.',
      '_______________________________________________',
      'Social mailing list',
      'http://www.linux.ie/mailman/listinfo/social',
    );
    expect(messageText(source)).toBe('A question\nHow do I do this? Ask or you@elsewhere.net.');
  });

  it('drops feed headers and signature armour', () => {
    expect(
      messageText(mail('Subject: News', '', 'URL: http://a.b/c', 'Date: Not supplied', '', 'It rains.')),
    ).toBe('News\nIt rains.');
    const armoured = ['-----BEGIN PGP SIGNED MESSAGE-----', 'Hash: SHA1', '', 'Hello.'];
    const signature = ['-----BEGIN PGP SIGNATURE-----', 'abc', '-----END PGP SIGNATURE-----'];
    expect(messageText(mail('Subject: s', '', ...armoured, ...signature))).toBe('s\nHello.');
  });

  it('is the visible text of HTML, even if it is declared as plain text', () => {
    const html =
      '<html><style>p { color: red }</style><p>Buy&nbsp;&#78;ow<!-- xyz --> f<b>r</b>ee &amp; fast<br>today';
    const text = 'S\nBuy Now free & fast\ntoday';
    expect(messageText(mail('Subject: S', 'Content-Type: text/html', '', html))).toBe(text);
    expect(messageText(mail('Subject: S', 'Content-Type: text/plain', '', html))).toBe(text);
  });
});

const OFFER =
  'Save up to 75% on your term life insurance today! Compare rates from the top companies in the land and save. ' +
  'It takes one minute to fill in the form, and an agent calls you back with a quote that cannot be beaten.';
const OTHER =
  'I have looked at the patch and it works here, apart from one warning. Could you rebase it on the current tree? ' +
  'Then I will put it in before the weekend, so that people can test it until the release.';

describe('nearDuplicates', () => {
  it('finds texts that differ by names, numbers and addresses', () => {
    const changed = `Double your insurance 4711 XKQ! ${OFFER.replace('75', '80')} http://x.y/1 a@b.c`;
    expect(nearDuplicates([OTHER, OFFER, 'Hello there', changed, OTHER.toUpperCase()])).toEqual([
      0, 1, 2, 1, 0,
    ]);
  });
});

describe('splitMails', () => {
  it('keeps one of equal texts, drops contradictions, and does not depend on the order', () => {
    const given: Mail[] = [
      ...Array.from(
        { length: 40 },
        (_, i): Mail => ({ text: `letter ${'abcdefgh'[i % 8]}${'xyzuv'[i % 5]}`, label: 'ham' }),
      ),
      { text: 'Letter AX!', label: 'ham' },
      { text: 'both', label: 'ham' },
      { text: 'Both.', label: 'spam' },
      { text: '123', label: 'spam' },
    ];
    const { counts, ...parts } = splitMails(given);
    expect(counts).toMatchObject({ mails: 44, empty: 1, same: 1 + 2, contradicting: 1 });
    expect(Object.values(parts).flat()).toHaveLength(40);
    const again = splitMails([...given.slice(20), ...given.slice(0, 20)]);
    for (const part of ['train', 'validation', 'test'] as const) {
      expect(again[part].map(({ text }) => text.toLowerCase())).toEqual(
        parts[part].map(({ text }) => text.toLowerCase()),
      );
    }
  });

  it('splits the corpus so that training and test share nothing', () => {
    const mails = readCorpus().map(({ source, label }): Mail => ({ text: messageText(source), label }));
    const { train, validation, test, counts } = splitMails(mails);
    expect(counts).toEqual({ mails: 6046, empty: 0, same: 219, alike: 1088, contradicting: 0 });
    expect([train, validation, test].map(({ length }) => length)).toEqual([4138, 537, 1152]);
    // Openings, normalized as for finding copies.
    const opening = ({ text }: Mail) =>
      text
        .toLowerCase()
        .replace(/[^a-z]+/g, '')
        .slice(0, 200);
    const seen = new Set([...train, ...validation].map(opening));
    const repeated = test.filter((mail) => opening(mail).length === 200 && seen.has(opening(mail)));
    expect(repeated.map(({ text }) => text.slice(0, 100))).toEqual([]);
  });
});
