import { endOfString } from './end-of-string.ts';

/** Matches texts with a number that a double may change: one with 16 digits, or with a two-digit exponent. */
const MAY_HAVE_LONG = /\d[\d.]{15}|[eE][+-]?\d\d/;
const TEXT_OR_NUMBER = /"|-?\d[\d.eE+-]*/g;
/** A longer number counts as inexact without a check, because no double needs as many digits. */
const MAX_DIGITS = 400;

/**
 * Parses JSON like JSON.parse, but keeps a number as a string if a double would change it, such as
 * 1234567890123456789. Labels and ids may be such numbers, and rounding could make two of them equal.
 *
 * @throws SyntaxError like JSON.parse
 */
export function exactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!MAY_HAVE_LONG.test(text)) return value;
  const quoted = withLongNumbersQuoted(text);
  return quoted === undefined ? value : JSON.parse(quoted);
}

/** The text with inexact numbers in quotes; undefined if it has none. */
function withLongNumbersQuoted(text: string): string | undefined {
  const parts: string[] = [];
  let done = 0;
  TEXT_OR_NUMBER.lastIndex = 0;
  for (let match = TEXT_OR_NUMBER.exec(text); match; match = TEXT_OR_NUMBER.exec(text)) {
    const { index } = match;
    const [token] = match;
    if (token === '"') TEXT_OR_NUMBER.lastIndex = endOfString(text, index) + 1;
    else if (!isExact(token)) {
      parts.push(text.slice(done, index), `"${token}"`);
      done = index + token.length;
    }
  }
  return done === 0 ? undefined : parts.join('') + text.slice(done);
}

/** Whether a number stays the same when it is converted to a double and printed. */
function isExact(number: string): boolean {
  if (number.length > MAX_DIGITS) return false;
  return number.length < 16 && !/e/i.test(number)
    ? true
    : decimal(number) === decimal(String(Number(number)));
}

/** Normalises a number to its digits without leading and trailing zeros, and a power of ten. */
function decimal(number: string): string {
  const [, whole = number, fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  return short && `${short}e${Number(power) - fraction.length + digits.length - short.length}`;
}
