import { InvalidFile } from '../../support/user-error.ts';

/** Decodes text. Throws a UserError if it is not UTF-8. */
export function utf8Text(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidFile({ where, fault: 'is not UTF-8 text' });
  }
}

/** Maximum length of an excerpt in a message. */
const MAX_EXCERPT = 80;

/** Formats an untrusted value for messages: as JSON on one line, truncated, and without control characters. */
export function excerpt(value: unknown): string {
  if (value === undefined) return 'nothing';
  const isLong = typeof value === 'string' && value.length > MAX_EXCERPT;
  // A long string is truncated first, so that it is not copied.
  const text = escaped(JSON.stringify(isLong ? value.slice(0, MAX_EXCERPT) : value));
  if (isLong) return `${text}…`;
  return text.length <= 2 * MAX_EXCERPT ? text : `${text.slice(0, 2 * MAX_EXCERPT)}…`;
}

/** Formats an untrusted name like {@link excerpt}, without quotation marks. */
export function excerptName(name: string): string {
  return excerpt(name).replace(/^"|"(?=…?$)/g, '');
}

/** Escapes control characters and direction marks, which JSON leaves unescaped. */
function escaped(json: string): string {
  return json.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
